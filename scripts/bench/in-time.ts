/** @throws Error where nothing comes of it */
export async function inTime<Result>(what: string, mostMs: number, step: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`nothing came of ${what}`)), mostMs);
  return await Promise.race([step, late.promise]).finally(() => clearTimeout(timer));
}
