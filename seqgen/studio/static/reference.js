// The reference of the API, from its description in OpenAPI.

import { get } from "./api.js";
import { h } from "./dom.js";

function type(schema) {
  return schema.type ?? schema.anyOf?.map(type).join(" or ") ?? "any";
}

function parameters(schema) {
  return h("div", {}, ...Object.entries(schema.properties).map(([name, each]) => {
    const more = [
      schema.required?.includes(name) ? "required" : "",
      each.default === undefined ? "" : `default ${JSON.stringify(each.default)}`,
      each.maximum === undefined ? "" : `at most ${each.maximum}`,
      each.example === undefined ? "" : `such as ${JSON.stringify(each.example)}`,
    ].filter(Boolean).join(", ");
    return h("p", {}, h("code", {}, name), ` ${type(each)}${more ? `; ${more}` : ""}. `,
      each.description ?? "");
  }));
}

function operation(path, method, { summary, requestBody, responses }) {
  const schema = requestBody?.content["application/json"].schema;
  return h("section", { className: "panel" },
    h("h2", {}, `${method.toUpperCase()} ${path}`), h("p", {}, summary),
    schema ? parameters(schema) : null,
    h("h3", {}, "Answers"), ...Object.entries(responses).map(([status, { description, content }]) =>
      h("p", {}, h("code", {}, status), ` ${description}: ${Object.keys(content).join(", ")}`)));
}

const { paths } = await get("/openapi.json");
document.getElementById("main").replaceChildren(...Object.entries(paths).flatMap(
  ([path, methods]) => Object.entries(methods).map(([method, each]) =>
    operation(path, method, each))));
