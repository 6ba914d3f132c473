// Holds objects against Kubernetes' own schemas, and the Prometheus operator's: node schema.mjs FOLDER < JSON array. FOLDER has node_modules. Prints a
// JSON array of findings. The validators of kubernetes-models look at the fields they know and ignore others, so the
// object is handed over in proxies that note what was looked at: what was not is a field that Kubernetes does not know.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.argv[2]}/`);

// The validator of an apiVersion and kind; nothing where Kubernetes has none.
async function validatorOf({ apiVersion, kind }) {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
  const part = (name) => name.split(".")[0].replace(/^./, (c) => c.toUpperCase());
  const [name, home] = group === "monitoring.coreos.com"
    ? [`ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoring${part(version)}${kind}`,
      "@kubernetes-models/prometheus-operator"]
    : [`IoK8sApi${part(group)}${part(version)}${kind}`, "kubernetes-models"];
  const index = require.resolve.paths(home).map((path) => `${path}/${home}/_schemas/${name}.js`);
  for (const path of index) {
    try {
      readFileSync(path);
    } catch {
      continue;
    }
    return (await import(pathToFileURL(path))).validate;
  }
}

class Watched {
  #proxies = new Map();
  #looked = new Map();

  wrap(value) {
    if (value === null || typeof value !== "object") return value;
    if (!this.#proxies.has(value)) {
      const looked = new Set();
      this.#looked.set(value, looked);
      this.#proxies.set(value, new Proxy(value, {
        get: (target, key) => {
          looked.add(key);
          return this.wrap(target[key]);
        },
      }));
    }
    return this.#proxies.get(value);
  }

  unknown(value, path = "") {
    if (value === null || typeof value !== "object") return [];
    const looked = this.#looked.get(value) ?? new Set();
    return Object.keys(value).flatMap((key) =>
      looked.has(key) ? this.unknown(value[key], `${path}/${key}`) : [`${path}/${key}: unknown field`]);
  }
}

async function findingsOf(object) {
  const where = `${object.kind}/${object.metadata?.name}`;
  const validate = await validatorOf(object);
  if (!validate) return [`${where}: there is no ${object.kind} in ${object.apiVersion}`];
  const watched = new Watched();
  const wrong = validate(watched.wrap(object)) ? []
    : validate.errors.map((error) => `${error.instancePath}: ${error.keyword} ${JSON.stringify(error.params)}`);
  return [...wrong, ...watched.unknown(object)].map((what) => `${where}: ${what}`);
}

const objects = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify((await Promise.all(objects.map(findingsOf))).flat()));
