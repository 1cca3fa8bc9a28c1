import type { Command } from 'commander';
import type { Adding } from '../cli';
import { runInCheckout } from '../checkout';

export const addVerify: Adding = (program: Command, run) => {
  program
    .command('verify')
    .description('run the fault suite of the checkout: kill and cut everything, and count what was lost')
    .argument('[options...]', 'options of "npm run verify", after --')
    .addHelpText('after', '\nExample:\n  streamforge verify -- --minutes 10 --seed 7')
    .action(run((cli, _options, args) => runInCheckout(cli, 'scripts/verify.mjs', args)));
};
