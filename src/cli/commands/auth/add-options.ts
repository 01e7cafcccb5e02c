/** What `auth add` was told. */
export interface AddOptions {
  readonly label?: string;
  readonly forceNewLogin?: boolean;
  readonly browser?: boolean;
  readonly device?: boolean;
  readonly qr?: boolean;
  readonly apiKeyStdin?: boolean;
  readonly from?: string;
}
