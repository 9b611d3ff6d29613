/**
 * The shop's API, typed from its OpenAPI document.
 *
 * ```ts
 * const shop = createClient({ baseUrl: "https://shop.example.com", token: () => session?.access_token });
 * const { products } = await ok(shop.GET("/v1/products", { params: { query: { q: "kettle" } } }));
 * ```
 */
import createFetchClient, { type Client as FetchClient, type Middleware } from "openapi-fetch";

import type { components, paths } from "./schema.js";

export type { components, operations, paths } from "./schema.js";

/** Every message of the API by its name, for example `Schemas["Order"]`. */
export type Schemas = components["schemas"];
/** The stable reason of an error. */
export type Reason = Schemas["ErrorReason"];
/** An error as the API answers it. */
export type Status = Schemas["Status"];
/** A field of the request and what is wrong with it. */
export type FieldViolation = Schemas["BadRequest"]["field_violations"][number];

export type Client = FetchClient<paths>;

export interface Options {
  /** Where the edge is, without a slash at the end. */
  baseUrl: string;
  /** The access token of the moment; nothing for somebody who is not signed in. */
  token?: () => string | undefined | Promise<string | undefined>;
  /** Another `fetch`, for tests. */
  fetch?: (request: Request) => Promise<Response>;
}

/** A client: one method per verb, paths and bodies checked by the compiler. */
export function createClient(options: Options): Client {
  const { baseUrl, token, fetch } = options;
  const client = createFetchClient<paths>(fetch ? { baseUrl, fetch } : { baseUrl });
  if (token) {
    const signIn: Middleware = {
      async onRequest({ request }) {
        const value = await token();
        if (value && !request.headers.has("authorization")) {
          request.headers.set("authorization", `Bearer ${value}`);
        }
        return request;
      },
    };
    client.use(signIn);
  }
  return client;
}

/** A refusal. Decide by `reason`; the message is for developers. */
export class StoaError extends Error {
  override readonly name = "StoaError";

  constructor(
    /** HTTP. */
    readonly httpStatus: number,
    /** As it was answered; absent when the answer was not of this API. */
    readonly status: Status | undefined,
    /** To be found in the logs by. */
    readonly requestId: string | undefined,
  ) {
    super(status?.message ?? `HTTP ${httpStatus}`);
  }

  get reason(): Reason | undefined {
    return this.detail("ErrorInfo")?.reason;
  }

  get violations(): FieldViolation[] {
    return this.detail("BadRequest")?.field_violations ?? [];
  }

  /** How long to wait before the next try, where another try helps. */
  get retryAfterMs(): number | undefined {
    const delay = this.detail("RetryInfo")?.retry_delay;
    return delay === undefined ? undefined : Number.parseFloat(delay) * 1000;
  }

  private detail<Name extends "ErrorInfo" | "BadRequest" | "RetryInfo">(
    name: Name,
  ): Schemas[Name] | undefined {
    const type = `type.googleapis.com/google.rpc.${name}`;
    return this.status?.details.find((detail): detail is Schemas[Name] => detail["@type"] === type);
  }
}

/** What openapi-fetch answers. */
interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The data of an answer; throws {@link StoaError} for a refusal. */
export async function ok<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await call;
  if (response.ok && data !== undefined) {
    return data;
  }
  const requestId = response.headers.get("x-request-id") ?? undefined;
  throw new StoaError(response.status, isStatus(error) ? error : undefined, requestId);
}

function isStatus(value: unknown): value is Status {
  return typeof value === "object" && value !== null && "code" in value
    && "details" in value && Array.isArray(value.details);
}

/**
 * The messages of a stream, one JSON object a line. Call with `parseAs: "stream"`:
 *
 * ```ts
 * const path = { order_id };
 * const stream = await ok(shop.GET("/v1/orders/{order_id}:watch", { params: { path }, parseAs: "stream" }));
 * for await (const { order, final } of lines<Schemas["WatchOrderResponse"]>(stream)) { … }
 * ```
 */
export async function* lines<Message>(
  stream: ReadableStream<Uint8Array> | null,
): AsyncGenerator<Message, void, undefined> {
  if (!stream) {
    return;
  }
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const complete = rest.split("\n");
      rest = done ? "" : (complete.pop() ?? "");
      for (const line of complete.filter((text) => text.trim() !== "")) {
        yield JSON.parse(line) as Message;
      }
      if (done) {
        return;
      }
    }
  } finally {
    await reader.cancel();
  }
}
