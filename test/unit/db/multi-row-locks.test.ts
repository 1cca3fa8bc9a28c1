import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as ts from 'typescript';
import { DELIVERY_LOCKERS } from '../../support/locking/delivery-lockers';
import { ERASURE_LOCKERS } from '../../support/locking/erasure-lockers';
import { EVENT_LOCKERS } from '../../support/locking/event-lockers';
import { NO_LOCKERS, OTHER_LOCKERS } from '../../support/locking/other-lockers';
import { REJECTION_LOCKERS } from '../../support/locking/rejection-lockers';

const SRC = path.resolve(__dirname, '../../../src');
/** An insert waits for the row of another transaction only where it names a conflict. */
const LOCKS = /\bupdate [a-z_]+\s|\bdelete from\b|\bfor (no key )?(update|share)\b|\bon conflict\b/;

/** The exported functions of a file whose SQL locks rows, including the SQL of constants that they use. */
function lockingFunctions(text: string): string[] {
  const { statements } = ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true);
  const constants = new Map(
    statements
      .filter(ts.isVariableStatement)
      .flatMap(({ declarationList }) => declarationList.declarations)
      .map((one) => [one.name.getText(), one.getText()]),
  );
  const sqlOf = (code: string): string => {
    const used = new Set([code]); // a Set also iterates over what is added meanwhile: constants use constants
    for (const text of used) for (const [name, sql] of constants) if (text.includes(name)) used.add(sql);
    return [...used].join('\n');
  };
  return statements
    .filter(ts.isFunctionDeclaration)
    .filter((one) => one.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
    .filter((one) => LOCKS.test(sqlOf(one.getText())))
    .map((one) => one.name?.text ?? '');
}

describe('the list of statements that lock several rows', () => {
  const files = globSync('**/*.queries.ts', { cwd: SRC });
  const found = files.flatMap((file) => lockingFunctions(readFileSync(path.join(SRC, file), 'utf8')));
  const lockers = [...EVENT_LOCKERS, ...DELIVERY_LOCKERS, ...ERASURE_LOCKERS, ...OTHER_LOCKERS, ...REJECTION_LOCKERS];
  const known = lockers.map(({ name }) => name);

  it('has every query function that locks rows, unless it can lock only one or only its own', () => {
    expect(found.filter((name) => !known.includes(name) && !(name in NO_LOCKERS))).toEqual([]);
  });

  it('names nothing that is gone', () => {
    const transactions = ['SettlePass', 'stepReplay', 'cancelReplay'];
    expect(known.filter((name) => !found.includes(name) && !transactions.includes(name))).toEqual([]);
    expect(Object.keys(NO_LOCKERS).filter((name) => !found.includes(name))).toEqual([]);
  });

  it.each([
    ['export async function a(db: Db) { await db.query(`update t set a = 1`); }', ['a']],
    ['const SQL = `delete from t`;\nexport async function a(db: Db) { await db.query(SQL); }', ['a']],
    [
      'const by = (s: string) => `delete from ${s}`;\nconst SQL = by("t");\nexport function a(db: Db) { db.query(SQL); }',
      ['a'],
    ],
    ['export async function a(db: Db) { await db.query(`select from t for update skip locked`); }', ['a']],
    ['export async function a(db: Db) { await db.query(`insert into t values (1) on conflict do nothing`); }', ['a']],
    ['export async function a(db: Db) { await db.query(`insert into t values (1)`); }', []],
    ['async function a(db: Db) { await db.query(`update t set a = 1`); }', []],
  ])('finds the functions of %j', (text, names) => {
    expect(lockingFunctions(text)).toEqual(names);
  });
});
