/**
 * Every byte array that can be reached from an object, its private fields included: what a thief of the process's memory
 * would find of it. Read by way of the debugger, because nothing else sees private fields. Variables that closures
 * hold are not followed: they lead to the whole process.
 */
import { Session as Inspector, type Runtime } from 'node:inspector';

const HOOK = '__securechatLiveState';

export interface LiveState {
  /** Copies, each array once. */
  readonly arrays: readonly Uint8Array[];
  readonly objects: ReadonlySet<object>;
}

export function liveState(root: object): LiveState {
  const seen = new Set<object>();
  const arrays: Uint8Array[] = [];
  const visit = (value: object): boolean => {
    if (seen.has(value)) return false;
    seen.add(value);
    if (!ArrayBuffer.isView(value)) return true;
    arrays.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice());
    return false;
  };
  const inspector = new Inspector();
  inspector.connect();
  Reflect.set(globalThis, HOOK, { root, visit });
  try {
    walk(inspector);
  } finally {
    Reflect.deleteProperty(globalThis, HOOK);
    inspector.disconnect();
  }
  return { arrays, objects: seen };
}

/** In-process commands are answered before `post` returns. */
function walk(inspector: Inspector): void {
  const waiting: Runtime.RemoteObject[] = [];
  inspector.post('Runtime.evaluate', { expression: `${HOOK}.root` }, (error, reply) => {
    if (error !== null) throw error;
    waiting.push(reply.result);
  });
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    const { objectId } = value;
    if (objectId === undefined || value.type === 'function') continue;
    if (!isInternal(value) && !isNew(inspector, objectId)) continue;
    inspector.post('Runtime.getProperties', { objectId, ownProperties: true }, (error, reply) => {
      if (error !== null) throw error;
      const { result, internalProperties = [] } = reply;
      const privateProperties = privateOf(reply);
      // The debugger shows a map's entries as an internal property.
      const entries = internalProperties.filter(({ name }) => name === '[[Entries]]');
      for (const property of [...result, ...privateProperties, ...entries]) {
        if (property.name !== '__proto__' && property.value !== undefined) waiting.push(property.value);
      }
    });
  }
}

/** Node's types do not name this field of the debugger's protocol. */
function privateOf(
  reply: Runtime.GetPropertiesReturnType & { readonly privateProperties?: Runtime.PropertyDescriptor[] },
): readonly Runtime.PropertyDescriptor[] {
  return reply.privateProperties ?? [];
}

/** An object of the debugger's own, such as one entry of a map. */
function isInternal({ subtype }: Runtime.RemoteObject): boolean {
  return subtype?.startsWith('internal#') ?? false;
}

function isNew(inspector: Inspector, objectId: string): boolean {
  let answer = false;
  const functionDeclaration = `function () { return ${HOOK}.visit(this); }`;
  const command = { objectId, functionDeclaration, returnByValue: true };
  inspector.post('Runtime.callFunctionOn', command, (error, reply) => {
    if (error !== null) throw error;
    answer = (reply as Runtime.CallFunctionOnReturnType).result.value === true;
  });
  return answer;
}
