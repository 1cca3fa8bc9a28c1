import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as ts from 'typescript';

const SRC = path.resolve(__dirname, '../../../src');
const ENTRIES = ['main.ts', ...globSync('commands/*.ts', { cwd: SRC })];

function statementsOf(file: string): ts.NodeArray<ts.Statement> {
  return ts.createSourceFile(file, readFileSync(path.join(SRC, file), 'utf8'), ts.ScriptTarget.Latest).statements;
}

describe('the entry', () => {
  it.each(ENTRIES)('%s checks its Node.js before it imports anything else', (file) => {
    const [first] = statementsOf(file);
    const depth = file === 'main.ts' ? './' : '../';
    expect(first && ts.isImportDeclaration(first) && !first.importClause).toBe(true);
    expect(((first as ts.ImportDeclaration).moduleSpecifier as ts.StringLiteral).text).toBe(
      `${depth}runtime/require-node`,
    );
  });

  it.each(ENTRIES)('%s starts by runCommand or runDatabaseCommand, and exports nothing', (file) => {
    const text = readFileSync(path.join(SRC, file), 'utf8');
    expect(text.match(/^run(Database)?Command\(/gm)).toHaveLength(1);
    expect(text).not.toMatch(/^export /m);
  });
});
