import type { ModelRequest } from "../answer.ts";
import { type Behaviour, resolveBehaviour, type ResolvedBehaviour } from "../behaviour.ts";
import type { BehaviourName } from "../faults.ts";
import { perform, supports } from "../perform.ts";
import { type Call, type CallResult, parseBody, Role, type Stage } from "../role.ts";
import { Script } from "../script.ts";
import type { Reply } from "../reply.ts";
import { type Dialect, isObjection, type Objection } from "../wire/dialect.ts";
import { arrayOf, fieldsOf } from "../wire/fields.ts";

/** Whom a behaviour is for. Without either it is for everybody. */
export interface BehaviourScope {
  /** Name of a key or account. */
  readonly for?: string;
  readonly model?: string;
}

/** Who is asking, once that is known. */
export interface Caller {
  /** Name of the key or account; `anonymous` where no key is needed. */
  readonly credential: string;
  readonly plan: string;
  /** The secret as it was presented. */
  readonly presented: string;
}

/**
 * A scripted model provider. It checks who asks and what is asked as the real one does; then it plays what the script says for
 * that credential and model, and without a script it answers.
 */
export abstract class Backend extends Role {
  /** What the list of models names. Any model is answered. */
  models: string[];
  /** False: a conversation that ends with the assistant's own words is refused, as newer Claude models do. */
  takesPrefill = true;
  /** False: the model behind it can't see, and a request with an image in it is refused. */
  takesImages = true;
  /** False: a tool whose schema has a pattern, a format or a slash in an enum is refused, in xAI's words. */
  takesRichSchemas = true;
  readonly #dialect: Dialect;
  readonly #script = new Script<ResolvedBehaviour>();

  constructor(stage: Stage, dialect: Dialect, models: string[]) {
    super(stage);
    this.#dialect = dialect;
    this.models = models;
  }

  /** What belongs into a client's configuration as the base URL. */
  abstract get baseUrl(): string;

  /** Queues a behaviour for the next `times` (default 1) model calls that fit. Throws when this backend has no such thing. */
  script(behaviour: Behaviour, options: BehaviourScope & { readonly times?: number } = {}): void {
    this.#script.add(this.#checked(behaviour), whereOf(options), options.times ?? 1);
  }

  /** From now on this credential (`*` for all) behaves like this, also for one model only. A queued behaviour comes first. */
  setBehaviour(credential: string, behaviour: Behaviour, options: Pick<BehaviourScope, "model"> = {}): void {
    this.#script.set(this.#checked(behaviour), whereOf({ ...options, for: credential }));
  }

  /** Takes back exactly what `setBehaviour` set. */
  clearBehaviour(credential: string, options: Pick<BehaviourScope, "model"> = {}): void {
    this.#script.unset(whereOf({ ...options, for: credential }));
  }

  /** Everything queued and set is forgotten: from now on it answers. */
  clearScript(): void {
    this.#script.clear();
  }

  /** Queued behaviours that no request has met yet. */
  get unplayed(): BehaviourName[] {
    return this.#script.unplayed.map((behaviour) => behaviour.name);
  }

  /** True when this backend has such a behaviour. */
  supports(name: BehaviourName): boolean {
    return supports(this.#dialect, name);
  }

  /** Model calls that came as far as being answered, by the name of the credential. */
  callsOf(credential: string): number {
    return this.requests.filter((request) => request.credential === credential && request.behaviour !== null).length;
  }

  /** `METHOD path` of the model call. */
  protected abstract readonly modelCall: string;

  /** Who is asking, or why not. */
  protected abstract authenticate(call: Call): Caller | Objection;

  /** Everything but the model call; null when there is no such path. */
  protected abstract answerOther(call: Call, caller: Caller): Reply | null;

  /** Paths that exist besides the model call. */
  protected abstract readonly otherCalls: readonly string[];

  /** Headers that go with every answer to this caller. */
  protected headersFor(_caller: Caller, _call: Call): Record<string, string> {
    return {};
  }

  protected override answer(call: Call): CallResult {
    const route = `${call.method} ${call.path}`;
    if (route !== this.modelCall && !this.otherCalls.includes(route)) return this.unplannedReply(call);
    const caller = this.authenticate(call);
    if ("status" in caller) return this.refuse(call, caller);
    call.record.credential = caller.credential;
    if (route === this.modelCall) return this.#answerModel(call, caller);
    return this.answerOther(call, caller) ?? this.unplannedReply(call);
  }

  /** Refuses by the backend's own rules. */
  protected refuse(call: Call, objection: Objection): Reply {
    call.record.refused = objection.message;
    return this.#dialect.object(objection, { nextId: (prefix) => this.stage.ids.next(prefix) });
  }

  /** The body as the dialect reads it. */
  protected readRequest(call: Call, caller: Caller): ModelRequest | Objection {
    if (!call.headers["content-type"]?.startsWith("application/json")) {
      return { status: 415, message: "Unsupported content type" };
    }
    const body = parseBody(call.text, "application/json");
    if (typeof body !== "object" || body === null) {
      return { status: 400, message: "We could not parse the JSON body of your request." };
    }
    const fields = fieldsOf(body);
    const last = fieldsOf(arrayOf(fields.messages ?? fields.input).at(-1));
    if (!this.takesPrefill && last.role === "assistant") {
      const message =
        "This model does not support assistant message prefill. The conversation must end with a user message.";
      return { status: 400, message };
    }
    if (!this.takesImages && /"type":"(?:input_image|image_url|image)"/.test(JSON.stringify(fields))) {
      return { status: 400, message: "This model does not support image input." };
    }
    if (!this.takesRichSchemas && richSchema.test(JSON.stringify(fields.tools) ?? "")) {
      return { status: 400, message: "Invalid arguments passed to the model." };
    }
    return this.#dialect.read(fields, caller.credential);
  }

  #answerModel(call: Call, caller: Caller): CallResult {
    const request = this.readRequest(call, caller);
    if (isObjection(request)) return this.refuse(call, request);
    const behaviour: ResolvedBehaviour = this.#script.next({ credential: caller.credential, model: request.model }) ?? {
      name: "answer",
    };
    call.record.behaviour = behaviour.name;
    const reply = perform(this.#dialect, {
      ...caller,
      request,
      behaviour,
      now: this.stage.now(),
      nextId: (prefix) => this.stage.ids.next(prefix),
      elsewhere: this.stage.elsewhere(),
    });
    const headers = { ...this.headersFor(caller, call), ...reply.headers };
    return { ...reply, headers, ...(behaviour.chunk === undefined ? {} : { chunk: behaviour.chunk }) };
  }

  #checked(behaviour: Behaviour): ResolvedBehaviour {
    const resolved = resolveBehaviour(behaviour);
    if (!this.supports(resolved.name)) throw new TypeError(`this backend has no ${resolved.name}`);
    return resolved;
  }
}

const richSchema = /"(?:pattern|format)":"|"enum":\[[^\]]*\//;

function whereOf(scope: BehaviourScope): { credential?: string; model?: string } {
  return {
    ...(scope.for === undefined || scope.for === "*" ? {} : { credential: scope.for }),
    ...(scope.model === undefined ? {} : { model: scope.model }),
  };
}
