import { answerJson } from "./answer.ts";
import { buildOpenApi } from "./openapi.ts";
import type { FeedParts, Operation } from "./operation.ts";
import { RawJson, toJson } from "./raw-json.ts";
import { readQuery } from "./read-query.ts";
import { noQuery } from "./request-schemas.ts";

const texts = new WeakMap<object, string>();

/** Gives the OpenAPI document, which is made when it is first asked for. */
export const getOpenApi: Operation<FeedParts> = ({ query }, { scheme }) => {
  readQuery(query, noQuery);
  return {
    async run() {
      const text = texts.get(scheme) ?? toJson(buildOpenApi(scheme));
      texts.set(scheme, text);
      return answerJson(200, new RawJson(text));
    },
  };
};
