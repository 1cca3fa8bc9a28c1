import { rowsOf } from '../../support/processes/e2e-own-servers';
import { POISON_TYPES } from '../load/planned-event';

/**
 * Makes the usage meter fail for certain types, by a trigger in the database of the run. The worker has to isolate such an
 * event in its batch, and the event ends as a dead letter.
 */
const STATEMENTS = [
  'create table verify_poison (failing boolean not null)',
  'insert into verify_poison values (true)',
  `create function verify_refuse_poison() returns trigger language plpgsql as $$
   begin
     if new.type = '${POISON_TYPES.always}' or (select failing from verify_poison) then
       raise exception using errcode = '22003', message = 'poison: cannot be metered';
     end if;
     return new;
   end $$`,
  `create trigger verify_refuse_poison before insert or update on usage_daily
     for each row when (new.type like 'poison.%') execute function verify_refuse_poison()`,
];

export async function addPoison(databaseUrl: string): Promise<void> {
  for (const statement of STATEMENTS) await rowsOf(databaseUrl, statement);
}

export async function switchPoison(databaseUrl: string, failing: boolean): Promise<void> {
  await rowsOf(databaseUrl, 'update verify_poison set failing = $1', [failing]);
}
