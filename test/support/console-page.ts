import * as fs from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';

/** axe runs inside the page. It comes through the debugger, which the Content-Security-Policy does not concern. */
const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** As text, since the types of the tests know no document. */
const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) =>
  reportFault('policy: ' + event.violatedDirective + ' ' + event.blockedURI))`;

interface Violation {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}

export interface ConsolePage {
  context: BrowserContext;
  page: Page;
  /** What the page must never cause: violations of its policy, errors of its scripts, and dialogs that a payload opened. */
  faults: string[];
  /** Signs in where the sign-in is shown. */
  signIn: (token: string) => Promise<void>;
  /** Loads an address below /console and waits for its heading. */
  open: (address: string, heading: string | RegExp) => Promise<void>;
  /** What axe finds, in the present colours. */
  violations: () => Promise<string[]>;
  /** Which of these pages are wider than the window. Each has an address, a heading, and what shows that it is there. */
  overflowing: (pages: readonly (readonly [string, string | RegExp, string])[]) => Promise<string[]>;
}

export async function openConsole(
  browser: Browser,
  url: string,
  options: { width?: number; height?: number; colorScheme?: 'light' | 'dark' } = {},
): Promise<ConsolePage> {
  const { width = 1280, height = 900, colorScheme = 'light' } = options;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, timezoneId: 'Europe/Berlin' });
  const faults: string[] = [];
  await context.exposeFunction('reportFault', (text: string) => void faults.push(text));
  await context.addInitScript({ content: REPORT_VIOLATIONS });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`script: ${String(error)}`));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const open = async (address: string, heading: string | RegExp): Promise<void> => {
    await page.goto(`${url}/console${address}`);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  };
  return {
    ...{ context, page, faults, open },
    signIn: async (token) => {
      await page.getByLabel('Operator token').fill(token);
      await page.getByRole('button', { name: 'Sign in' }).click();
    },
    violations: async () => {
      await page.evaluate(AXE);
      const found = await page.evaluate<Violation[]>(
        "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)",
      );
      return found.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`,
      );
    },
    overflowing: async (pages) => {
      const wider: string[] = [];
      for (const [address, heading, shown] of pages) {
        await open(address, heading);
        await page.locator(shown).first().waitFor();
        const px = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (px !== page.viewportSize()?.width) wider.push(`${address}: ${px} px`);
      }
      return wider;
    },
  };
}
