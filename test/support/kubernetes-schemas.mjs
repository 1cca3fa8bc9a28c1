// Reads manifests as a JSON array from standard input. Prints for each the error of its schema, or null. This is a
// separate process because the schemas are ES modules, which Jest's CommonJS tests cannot import.
import { text } from 'node:stream/consumers';
import process from 'node:process';

async function errorOf(manifest) {
  const group = manifest.apiVersion.startsWith('keda.sh') ? '@kubernetes-models/keda' : 'kubernetes-models';
  const models = await import(`${group}/${manifest.apiVersion}`);
  const Model = models[manifest.kind];
  if (!Model) return `no schema for ${manifest.apiVersion} ${manifest.kind}`;
  try {
    new Model(manifest).validate();
    return null;
  } catch (error) {
    return error.message;
  }
}

const manifests = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await Promise.all(manifests.map(errorOf))));
