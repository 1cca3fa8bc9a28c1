/**
 * node scripts/sbom-bundled.mjs < sbom.json: prints the CycloneDX document with the packages that are bundled into
 * dist/console. They are development dependencies, so `npm sbom` leaves them out, but they are shipped.
 */
import './print-help.mjs';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { bundledPackages } from './bundled-packages.mjs';

const sbom = JSON.parse(await text(process.stdin));
const subject = sbom.dependencies.find(({ ref }) => ref === sbom.metadata.component['bom-ref']);
for (const { name, version, license } of bundledPackages()) {
  const ref = `${name}@${version}`;
  if (sbom.components.some((component) => component['bom-ref'] === ref)) continue;
  sbom.components.push({
    'bom-ref': ref,
    type: 'library',
    name,
    version,
    scope: 'required',
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    licenses: [{ license: { id: license } }],
  });
  sbom.dependencies.push({ ref, dependsOn: [] });
  subject?.dependsOn.push(ref);
}
process.stdout.write(`${JSON.stringify(sbom, null, 2)}\n`);
