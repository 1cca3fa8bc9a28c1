import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { withPasswordOf } from '../../../src/db/password-file';

describe('the password of a file', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-password-'));
  afterAll(() => fs.rmSync(directory, { recursive: true }));
  const fileOf = (text: string): string => {
    const file = path.join(directory, 'password');
    fs.writeFileSync(file, text);
    return file;
  };

  it.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['ends with a space \n', 'ends%20with%20a%20space%20'],
    ['ü%41@/:?#', '%C3%BC%2541%40%2F%3A%3F%23'],
  ])('is put into the URL: %j', (text, encoded) => {
    expect(withPasswordOf(fileOf(text), 'postgres://app@db:5432/streamforge?sslmode=require')).toBe(
      `postgres://app:${encoded}@db:5432/streamforge?sslmode=require`,
    );
  });
});
