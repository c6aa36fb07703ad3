/**
 * Checks every import under src/ against the rules: layers, packages, built-in modules, what must stay out of
 * reach over any number of steps, and cycles. Types count as well, except where a rule says otherwise.
 */
import { globSync, readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { type ImportRules, type LayerRule, RULES } from './import-rules.ts';

interface Import {
  /** A path from the project's root for our own files, otherwise the name as written. */
  readonly target: string;
  readonly isOurs: boolean;
  readonly typeOnly: boolean;
}

type Graph = ReadonlyMap<string, readonly Import[]>;

/**
 * @param sources each file's text under its path from the project's root, with `/`.
 * @returns one line per broken rule.
 */
export function checkImports(sources: ReadonlyMap<string, string>, rules: ImportRules): readonly string[] {
  if (sources.size === 0) return ['no source file was read: the check checks nothing'];
  const graph = new Map([...sources].map(([file, text]) => [file, importsOf(file, text)] as const));
  return [
    ...missingTargets(graph, rules),
    ...[...graph].flatMap(([file, imports]) => layerProblems(file, imports, rules)),
    ...packageProblems(graph, rules),
    ...blindProblems(graph, rules),
    ...cycleProblems(graph),
  ];
}

function importsOf(file: string, text: string): readonly Import[] {
  const { module, program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  const found: Import[] = [];
  const add = (request: string, typeOnly: boolean) => {
    const isOurs = request.startsWith('.');
    found.push({ target: isOurs ? posix.join(posix.dirname(file), request) : request, isOurs, typeOnly });
  };
  // `import { type T }` still loads the module; only `import type` does not.
  const isTypeOnly = (start: number) => /^(?:import|export)\s+type\s+(?!from\b)/.test(text.slice(start));
  for (const { moduleRequest, start } of module.staticImports) add(moduleRequest.value, isTypeOnly(start));
  for (const { entries, start } of module.staticExports) {
    for (const { moduleRequest } of entries) if (moduleRequest) add(moduleRequest.value, isTypeOnly(start));
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^(['"])(.*)\1$/.exec(text.slice(moduleRequest.start, moduleRequest.end));
    if (literal?.[2] === undefined)
      throw new Error(`${file} imports a computed name, which no rule can judge`);
    add(literal[2], false);
  }
  new Visitor({ TSImportType: ({ source }) => add(source.value, true) }).visit(program);
  return found;
}

function covers(path: string, file: string): boolean {
  return path.endsWith('/') ? file.startsWith(path) : file === path;
}

/** A rule about a file that was renamed would hold for ever and protect nothing. */
function missingTargets(graph: Graph, rules: ImportRules): readonly string[] {
  return rules.blind
    .flatMap(({ never }) => never)
    .filter((file) => !graph.has(file))
    .map((file) => `${file} is kept out of reach by a rule, but there is no such file`);
}

function layerProblems(file: string, imports: readonly Import[], rules: ImportRules): readonly string[] {
  const rule = rules.layers.find(({ layer }) => covers(layer, file));
  if (rule === undefined) return [`${file} is in no layer`];
  return imports
    .filter((each) => !isAllowed(each, rule))
    .map(({ target }) => `${file} must not import ${target} (rule for ${rule.layer})`);
}

function isAllowed({ target, isOurs, typeOnly }: Import, rule: LayerRule): boolean {
  if (target.startsWith('node:'))
    return typeOnly || rule.builtins === 'all' || rule.builtins.includes(target);
  if (!isOurs) return true;
  const allowed = [rule.layer, ...rule.imports, ...(typeOnly ? (rule.typesOf ?? []) : [])];
  return allowed.some((path) => covers(path, target));
}

function packageProblems(graph: Graph, rules: ImportRules): readonly string[] {
  const knownTo = new Map<string, Set<string>>();
  for (const [file, imports] of graph) {
    for (const { target, isOurs } of imports) {
      if (isOurs || target.startsWith('node:')) continue;
      const name = target.split('/', target.startsWith('@') ? 2 : 1).join('/');
      knownTo.set(name, (knownTo.get(name) ?? new Set()).add(file));
    }
  }
  return [...knownTo].flatMap(([name, files]) => {
    const shared = rules.sharedPackages[name];
    if (shared !== undefined) {
      return [...files]
        .filter((file) => !shared.some((path) => covers(path, file)))
        .map((file) => `${file} must not know the package ${name}`);
    }
    return files.size > 1
      ? [`the package ${name} is known to more than one file: ${[...files].join(', ')}`]
      : [];
  });
}

function blindProblems(graph: Graph, rules: ImportRules): readonly string[] {
  return rules.blind.flatMap(({ from, never, because }) =>
    [...graph.keys()]
      .filter((file) => from.some((path) => covers(path, file)))
      .flatMap((file) =>
        never
          .map((target) => shortestPath(graph, file, target))
          .filter((path) => path !== null)
          .map((path) => `${path.join(' -> ')}: ${because}`),
      ),
  );
}

function shortestPath(graph: Graph, from: string, to: string): readonly string[] | null {
  const cameFrom = new Map<string, string | null>([[from, null]]);
  // A map's iteration also visits what is added on the way: breadth first.
  for (const [file] of cameFrom) {
    for (const { target } of graph.get(file) ?? []) if (!cameFrom.has(target)) cameFrom.set(target, file);
  }
  if (!cameFrom.has(to)) return null;
  const path: string[] = [];
  for (let file: string | null = to; file !== null; file = cameFrom.get(file) ?? null) path.unshift(file);
  return path;
}

function cycleProblems(graph: Graph): readonly string[] {
  const problems: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (file: string) => {
    if (trail.includes(file)) {
      problems.push(`cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' -> ')}`);
    } else if (!done.has(file)) {
      trail.push(file);
      for (const { target } of graph.get(file) ?? []) visit(target);
      trail.pop();
      done.add(file);
    }
  };
  for (const file of graph.keys()) visit(file);
  return problems;
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..');
  const files = globSync('src/**/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'));
  const problems = checkImports(
    new Map(files.map((file) => [file, readFileSync(resolve(root, file), 'utf8')])),
    RULES,
  );
  for (const problem of problems) console.error(problem);
  console.log(`import rules: ${files.length} files, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
