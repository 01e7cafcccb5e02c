import type { Workspace } from "../workspace.ts";
export async function importFrom(_workspace: Workspace, _source: string, _options: object): Promise<void> {}
