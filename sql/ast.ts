import type { SqlNumber } from "./decimal.ts";

/** Every node carries the index of its first token, for errors that only the compiler finds. */
interface Node {
  readonly index: number;
}

export type UnaryOperator = "-" | "NOT";
export type BinaryOperator = "OR" | "AND" | "=" | "<>" | "<" | "<=" | ">" | ">=" | "IN" | "+" | "-" | "*" | "/" | "%";

export type Expression =
  | (Node & { readonly kind: "literal"; readonly value: null | boolean | string | SqlNumber })
  | (Node & { readonly kind: "name"; readonly name: string })
  | (Node & { readonly kind: "member"; readonly object: Expression; readonly name: string })
  | (Node & { readonly kind: "variable"; readonly name: string })
  /** The whole payload, as a function's argument. */
  | (Node & { readonly kind: "star" })
  | (Node & { readonly kind: "array"; readonly items: readonly Expression[] })
  | (Node & { readonly kind: "object"; readonly members: readonly ObjectMember[] })
  | (Node & { readonly kind: "unary"; readonly operator: UnaryOperator; readonly operand: Expression })
  | (Node & {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    })
  | (Node & {
      readonly kind: "case";
      readonly subject: Expression;
      readonly branches: readonly CaseBranch[];
      readonly otherwise: Expression | undefined;
    })
  | (Node & { readonly kind: "cast"; readonly operand: Expression; readonly type: string })
  | Call
  | (Node & { readonly kind: "exists"; readonly select: Subselect })
  | (Node & { readonly kind: "subselect"; readonly select: Subselect });

export type Call = Node & {
  readonly kind: "call";
  /** As written; function names are not case-sensitive. */
  readonly name: string;
  readonly arguments: readonly Expression[];
};

export interface ObjectMember {
  readonly key: string;
  readonly value: Expression;
}

export interface CaseBranch {
  readonly when: Expression;
  readonly result: Expression;
}

export type SelectItem =
  | (Node & { readonly kind: "all" })
  | (Node & {
      readonly kind: "column";
      readonly expression: Expression;
      /** The alias' levels: `AS a.b` builds a nested object. */
      readonly alias: readonly string[] | undefined;
    });

export type Source =
  | (Node & { readonly kind: "topicFilter"; readonly topicFilter: string })
  | (Node & { readonly kind: "path"; readonly path: Expression; readonly alias: string | undefined });

export type Select = Node & {
  readonly kind: "select";
  /** SELECT VALUE: the one item itself instead of an object with it. */
  readonly isValue: boolean;
  readonly items: readonly SelectItem[];
  readonly source: Source | undefined;
  readonly where: Expression | undefined;
};

/** A SELECT in an expression: it reads from a field. */
export type Subselect = Select & { readonly source: Extract<Source, { readonly kind: "path" }> };

export type Assignment = Node & { readonly name: string; readonly value: Expression };

export interface StatementNode {
  readonly assignments: readonly Assignment[];
  readonly select: Select;
}
