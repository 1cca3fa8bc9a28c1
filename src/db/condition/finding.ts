/** The result of one check. A `problem` keeps StreamForge from working; `advice` does not. */
export interface Finding {
  what: string;
  severity: 'ok' | 'advice' | 'problem';
  /** One sentence: what was found and, unless it is `ok`, what to do. */
  sentence: string;
}

export const ok = (what: string, sentence: string): Finding => ({ what, severity: 'ok', sentence });
export const advice = (what: string, sentence: string): Finding => ({ what, severity: 'advice', sentence });
export const problem = (what: string, sentence: string): Finding => ({ what, severity: 'problem', sentence });

const SIGNS = { ok: 'ok     ', advice: 'advice ', problem: 'PROBLEM' };

export function report(findings: readonly Finding[]): string {
  const lines = findings.map(({ what, severity, sentence }) => `${SIGNS[severity]}  ${what.padEnd(11)} ${sentence}`);
  const count = (severity: Finding['severity']) => findings.filter((finding) => finding.severity === severity).length;
  return `${lines.join('\n')}\n\nproblems: ${count('problem')}, advice: ${count('advice')}\n`;
}

/** Whether a version such as `15.8 (Debian)` is at least `least`. Parts are compared as numbers: 3.10 is newer than 3.9. */
export function isAtLeast(version: string, least: string): boolean {
  const numbers = (text: string) => (/\d+(\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number);
  const found = numbers(version);
  for (const [i, wanted] of numbers(least).entries()) {
    if ((found[i] ?? 0) !== wanted) return (found[i] ?? 0) > wanted;
  }
  return true;
}
