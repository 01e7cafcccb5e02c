/** One figure of a case about the gateway alone. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: { readonly least?: number; readonly most?: number };
}

export interface OwnResult {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
  /** Why there are no figures. */
  readonly failed?: string;
}

export interface OwnContext {
  /** main.js of the built package. */
  readonly program: string;
  readonly quick: boolean;
  readonly tell: (line: string) => void;
}

export interface OwnCase {
  readonly name: string;
  readonly title: string;
  run(context: OwnContext): Promise<Row[]>;
}

export const ownCases: readonly OwnCase[] = [];
