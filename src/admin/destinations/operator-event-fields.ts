import { IsIn } from 'class-validator';
import { SEVERITIES, type Severity } from '../../destinations/operator/severity';
import { ApiAnyObject, ApiEnum } from '../../http/docs/api-fields';
import type { ActiveHours } from '../../silence/active-hours';
import { MayBeNull } from '../endpoint/rules';
import { AreActiveHours } from '../expectations/silence-fields';
import { OrderFields } from './order-fields';

export const QUIET_HOURS_EXAMPLE = { timeZone: 'Europe/Berlin', from: '22:00', to: '07:00' };

/** What a request says about operator events (docs/operator-events.md), and about the order. */
export class OperatorEventFields extends OrderFields {
  @ApiEnum('ConditionSeverity', SEVERITIES, {
    required: false,
    nullable: true,
    description:
      'Only operator events of this severity or above are delivered, and those that clear them. For the tenant ' +
      '`streamforge` only. Null: all',
  })
  @MayBeNull()
  @IsIn(SEVERITIES)
  minSeverity?: Severity | null;

  @ApiAnyObject(QUIET_HOURS_EXAMPLE, {
    required: false,
    nullable: true,
    description:
      'In these hours only critical operator events are sent; the others are sent when the hours end. `timeZone` (IANA), ' +
      '`weekdays` (left out: every day), `from` and `to` (HH:MM of the local day; not after `from`: of the next day). For ' +
      'the tenant `streamforge` only. Null: never',
  })
  @MayBeNull()
  @AreActiveHours()
  quietHours?: ActiveHours | null;
}
