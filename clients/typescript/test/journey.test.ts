// A customer's journey through the running edge, by types alone. STOA_URL says where it is,
// STOA_PRODUCT names a product that can be bought.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createClient, lines, ok, type Schemas, StoaError } from "../src/index.js";

const baseUrl = process.env["STOA_URL"];
const product_id = process.env["STOA_PRODUCT"];
assert(baseUrl && product_id, "STOA_URL and STOA_PRODUCT are not set");

const anybody = createClient({ baseUrl });

async function customer() {
  const email = `ada-${crypto.randomUUID()}@example.com`;
  const body = { email, password: "correct horse battery", display_name: "Ada" };
  const session = await ok(anybody.POST("/v1/auth/register", { body }));
  return { session, shop: createClient({ baseUrl: baseUrl ?? "", token: () => session.access_token }) };
}

const address: Schemas["AddressInput"] = {
  recipient: "Ada Lovelace",
  street: "12 St James's Square",
  city: "London",
  postal_code: "SW1Y 4JH",
  country_code: "GB",
};

async function refusal(call: Promise<unknown>): Promise<StoaError> {
  const error = await call.then(() => undefined, (thrown: unknown) => thrown);
  assert(error instanceof StoaError, `refused: ${String(error)}`);
  return error;
}

test("a customer registers, fills a cart, orders and watches the order", async () => {
  const { session, shop } = await customer();
  assert.deepEqual(session.user?.roles, ["customer"]);
  const { products } = await ok(shop.GET("/v1/products", { params: { query: { page_size: 5 } } }));
  assert(products.length > 0);
  const cart = await ok(shop.POST("/v1/cart/items", { body: { product_id, quantity: 2 } }));
  assert.equal(cart.item_count, 2);
  const order = await ok(shop.POST("/v1/orders", {
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { payment_token: "tok_visa", shipping_address: address },
  }));
  assert.equal(order.state, "ORDER_STATE_CONFIRMED");
  assert.equal(typeof order.total?.units, "string");
  const path = { order_id: order.order_id };
  await ok(shop.POST("/v1/orders/{order_id}:cancel", { params: { path }, body: {} }));
  const watching = shop.GET("/v1/orders/{order_id}:watch", { params: { path }, parseAs: "stream" });
  const seen: Schemas["WatchOrderResponse"][] = [];
  for await (const answer of lines<Schemas["WatchOrderResponse"]>(await ok(watching))) {
    seen.push(answer);
  }
  assert.equal(seen.at(-1)?.final, true);
  assert.equal(seen.at(-1)?.order?.state, "ORDER_STATE_CANCELLED");
});

test("errors are typed: a stable reason, the fields, how long to wait", async () => {
  const { shop } = await customer();
  const params = { header: { "Idempotency-Key": crypto.randomUUID() } };
  const body = { payment_token: "tok_visa", shipping_address: address };
  const empty = await refusal(ok(shop.POST("/v1/orders", { params, body })));
  assert.deepEqual([empty.httpStatus, empty.reason], [400, "CART_EMPTY"]);
  assert(empty.requestId);
  const wrong = { email: "nobody", password: "short", display_name: "" };
  const invalid = await refusal(ok(anybody.POST("/v1/auth/register", { body: wrong })));
  assert.equal(invalid.reason, "VALIDATION_FAILED");
  assert.deepEqual(invalid.violations.map((v) => v.field), ["email", "password", "display_name"]);
  const nobody = await refusal(ok(anybody.GET("/v1/cart")));
  assert.deepEqual([nobody.httpStatus, nobody.reason], [401, "UNAUTHENTICATED"]);
});

test("what the contract does not know does not compile", () => {
  const shop = anybody;
  const never = async () => {
    // @ts-expect-error there is no such path
    await shop.GET("/v1/nothing");
    // @ts-expect-error a quantity is a number
    await shop.POST("/v1/cart/items", { body: { product_id, quantity: "1" } });
    // @ts-expect-error a quantity is asked for
    await shop.POST("/v1/cart/items", { body: { product_id } });
    // @ts-expect-error an Idempotency-Key is asked for
    await shop.POST("/v1/orders", { body: { payment_token: "tok_visa", shipping_address: address } });
    // @ts-expect-error there is no such reason
    return (await refusal(Promise.reject())).reason === "CART_EMTPY";
  };
  assert.equal(typeof never, "function");
});
