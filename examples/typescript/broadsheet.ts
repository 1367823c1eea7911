// The main job of a client, with types made from the OpenAPI document: sign in, upload a picture, write an article,
// publish it, list everything, search, count a view, read it back.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const baseUrl = process.env.BROADSHEET_URL ?? "http://localhost:8080";
const email = process.env.BROADSHEET_EMAIL ?? "admin@example.com";
const password = process.env.BROADSHEET_PASSWORD ?? "";
const api = createClient<paths>({ baseUrl });

type Problem = components["schemas"]["Problem"];

// What the answer holds, or the problem as an error: each one has a stable `code` and names every wrong field.
function held<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data !== undefined) return answer.data;
  const problem = answer.error as Problem;
  const fields = problem.errors.map((error) => `${error.pointer ?? error.parameter}: ${error.message}`);
  throw new Error(`${answer.response.status} ${problem.code} ${fields.join("; ")}`);
}

function check(right: boolean, what: string): void {
  if (!right) throw new Error(`not so: ${what}`);
}

// A token is good for 15 minutes; `refresh_token` gets the next one.
const tokens = held(await api.POST("/api/v1/auth/login", { body: { email, password } }));
api.use({
  onRequest: ({ request }) => request.headers.set("authorization", `Bearer ${tokens.access_token}`),
});

// A picture of one pixel. The file is a Blob, which the form takes as it is.
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const file = new Blob([Buffer.from(png, "base64")]);
const { data: image } = held(
  await api.POST("/api/v1/images", {
    body: { file: file as unknown as string, alt: "封面" },
    bodySerializer: (form) => {
      const data = new FormData();
      for (const [name, value] of Object.entries(form)) data.append(name, value as string | Blob);
      return data;
    },
  }),
);

// A draft first. A word of its own, to find it again.
const word = `tq${Date.now().toString(36)}`;
const { data: draft } = held(
  await api.POST("/api/v1/articles", {
    body: {
      title: `小米14评测 ${word}`,
      body: `**续航。**比上一代多了两个小时。\n\n![正面](image:${image.id} "图一")`,
      tags: ["小米"],
      cover_image_id: image.id,
    },
  }),
);
check(draft.status === "draft" && draft.cover?.id === image.id, "a draft with its cover");

// Publishing is a change, and a change names the version that it was made from.
const { data: article } = held(
  await api.PATCH("/api/v1/articles/{id}", {
    params: { path: { id: draft.id }, header: { "If-Match": `"${draft.version}"` } },
    body: { status: "published" },
    headers: { "content-type": "application/merge-patch+json" },
  }),
);
check(article.status === "published" && article.version === draft.version + 1, "published, one version on");

// The same change once more is refused: somebody else came first.
const stale = await api.PATCH("/api/v1/articles/{id}", {
  params: { path: { id: draft.id }, header: { "If-Match": `"${draft.version}"` } },
  body: { status: "draft" },
});
check(stale.response.status === 412 && stale.error?.code === "version_mismatch", "a stale version is 412");

// Every article, page by page, each exactly once.
const ids = new Set<number>();
let cursor: string | undefined;
do {
  const page = held(await api.GET("/api/v1/articles", { params: { query: { limit: 5, cursor } } }));
  for (const summary of page.data) {
    check(!ids.has(summary.id), `article ${summary.id} comes once`);
    ids.add(summary.id);
  }
  cursor = page.meta.next_cursor ?? undefined;
} while (cursor !== undefined);
check(ids.has(article.id), "the new article is in the list");

// It is found as soon as it is written, with what matched marked.
const found = held(await api.GET("/api/v1/search", { params: { query: { q: word } } }));
check(found.meta.total === 1 && found.data[0]?.id === article.id, "search finds it");

// One view of one visitor, then the article as an app shows it: blocks, no web view needed.
const visitor = { "X-Visitor-Id": crypto.randomUUID() };
const view = held(
  await api.POST("/api/v1/articles/{id}/views", { params: { path: { id: article.id }, header: visitor } }),
);
check(view.data.counted && view.data.view_count === 1, "the view counts");
const { data: read } = held(
  await api.GET("/api/v1/articles/by-slug/{slug}", {
    params: { path: { slug: article.slug }, query: { body_format: "blocks" } },
  }),
);
const kinds = read.body?.blocks?.map((block) => block.type).join(", ");
check(read.view_count === 1 && kinds === "paragraph, image", `one view and two blocks: ${kinds}`);
console.log(`TypeScript: ${ids.size} articles listed, ${read.slug} found, viewed and read (${kinds})`);
