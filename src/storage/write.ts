/** Everything that changes a room's file goes through this: in a transaction, and failing in words. */
export type Write = <Result>(step: () => Result) => Result;
