import { jsonReply, type Reply } from "../reply.ts";
import { Role } from "../role.ts";

/**
 * An origin that no credential belongs to. The redirect faults point here: a client that follows one shows up in `requests`,
 * and what it brought along can be read from the headers.
 */
export class Elsewhere extends Role {
  protected override answer(): Reply {
    return jsonReply(200, { here: "nobody should be" });
  }
}
