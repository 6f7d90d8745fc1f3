// A portal's first steps, written against the generated types alone. Compiled strictly, then run against a service.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Run = components["schemas"]["RunView"];
type Engagements = components["schemas"]["Page_EngagementSummary_"];
type Problem = components["schemas"]["Problem"];

const [baseUrl, key] = [process.argv[2], process.argv[3]];
if (!baseUrl || !key) throw new Error("usage: usage.js URL KEY");
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

const once = (): { "Idempotency-Key": string } => ({ "Idempotency-Key": crypto.randomUUID() });

function given<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

async function everyEngagement(): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Engagements = given(
      await api.GET("/v1/engagements", { params: { query: { limit: 1, ...(cursor ? { cursor } : {}) } } }),
    );
    ids.push(...page.data.map((one) => one.id));
    cursor = page.has_more ? page.next_cursor : null;
  } while (cursor);
  return ids;
}

async function main(): Promise<void> {
  const pairs = given(await api.GET("/v1/pairs"));
  const quote = given(
    await api.POST("/v1/quotes", {
      params: { header: once() },
      body: { source: "servicetracker", destination: "zoho_crm", destination_edition: "enterprise", counts: { Client: 40 } },
    }),
  );
  const engagement = given(
    await api.POST("/v1/engagements", { params: { header: once() }, body: { name: "Acme", quote_id: quote.id } }),
  );
  given(
    await api.POST("/v1/engagements", {
      params: { header: once() },
      body: { name: "Second", source: "servicetracker", destination: "freshsales" },
    }),
  );

  const refused = await api.POST("/v1/engagements/{engagement_id}/runs", {
    params: { path: { engagement_id: engagement.id }, header: once() },
    body: { kind: "full" },
  });
  const problem: Problem | undefined = refused.error;
  const started: Run | undefined = refused.data;

  // @ts-expect-error  kinds of runs are a closed list
  const wrongKind: components["schemas"]["RunCreate"] = { kind: "everything" };
  // @ts-expect-error  no such path
  void (async () => api.GET("/v1/engagement"));
  // @ts-expect-error  an acting POST needs its Idempotency-Key
  void (async () => api.POST("/v1/engagements", { body: { name: "x" } }));

  console.log(
    JSON.stringify({
      pairs: pairs.data.length,
      engagements: (await everyEngagement()).length,
      refused: problem?.code,
      status: refused.response.status,
      started: started?.state ?? null,
      kind: wrongKind.kind,
    }),
  );
}

await main();
