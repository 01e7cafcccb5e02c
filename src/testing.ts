/**
 * For tests of programs that use this package: scripted providers on loopback that fail on command.
 *
 * ```ts
 * const simulator = await startSimulator();
 * const alice = simulator.codexIssuer.addAccount({ email: "alice@example.test" });
 * simulator.codex.script("quota-exhausted", { for: alice.name });
 * // point the program at `simulator.baseUrls`, then look at `simulator.codex.requests`
 * await simulator.close();
 * ```
 */
export type { Backend, BehaviourScope } from "./simulator/backends/backend.ts";
export type { ChatBackend } from "./simulator/backends/chat.ts";
export type { CodexBackend } from "./simulator/backends/codex.ts";
export type { CodexLimits, CodexWindow } from "./simulator/backends/codex-limits.ts";
export type { Elsewhere } from "./simulator/backends/elsewhere.ts";
export type { KeyRing, SimulatedKey } from "./simulator/backends/key-ring.ts";
export type { MessagesBackend } from "./simulator/backends/messages.ts";
export type { OpenAiBackend } from "./simulator/backends/openai.ts";
export type { After, Behaviour, BehaviourSpec, SimulatedToolCall } from "./simulator/behaviour.ts";
export { type AnswerName, answerNames, type BehaviourName, behaviours } from "./simulator/faults.ts";
export { type FaultKind, type FaultName, faultNames } from "./simulator/faults.ts";
export type { IssuedTokens, SimulatedAccount } from "./simulator/issuer/account.ts";
export { type IssuerEndpoint, issuerEndpoints } from "./simulator/issuer/issuer-faults.ts";
export { type IssuerFaultName, issuerFaultNames, issuerFaults } from "./simulator/issuer/issuer-faults.ts";
export type { IssuerCounters, IssuerSettings } from "./simulator/issuer/issuer-state.ts";
export { createUnsignedJwt } from "./simulator/issuer/jwt.ts";
export type { AccountRef, IssuerScriptOptions, ScriptedIssuer } from "./simulator/issuer/scripted-issuer.ts";
export type { AccessState } from "./simulator/issuer/token-ledger.ts";
export type { Chunk, Ending } from "./simulator/play.ts";
export type { RecordedRequest } from "./simulator/recorded-request.ts";
export type { Role } from "./simulator/role.ts";
export { type BackendName, backendNames, Simulator } from "./simulator/simulator.ts";
export { type SimulatorOptions, startSimulator } from "./simulator/simulator.ts";
export type { HistoryRule } from "./simulator/wire/chat-history.ts";
