import { IsBoolean, IsIn } from 'class-validator';
import { ON_POISON, ORDERINGS, type OnPoison, type Ordering } from '../../destinations/destination';
import { ApiEnum, ApiFlag } from '../../http/docs/api-fields';
import { MayBeLeftOut } from '../endpoint/rules';

/** What a request says about the order of deliveries (docs/ordering.md). */
export class OrderFields {
  @ApiEnum('Ordering', ORDERINGS, {
    required: false,
    description:
      '`key`: events of one partitionKey are sent one after the other, in the order in which they were accepted, also ' +
      'across retries. The later ones are PARKED meanwhile. `none`: as soon as they can be. Default: `none`',
  })
  @MayBeLeftOut()
  @IsIn(ORDERINGS)
  ordering?: Ordering;

  @ApiEnum('OnPoison', ON_POISON, {
    required: false,
    description:
      'With the ordering `key`, when a delivery has failed for good: `block` keeps the later ones of its key parked until ' +
      'an operator retries or discards it, `skip` goes on with the next one. Default: `block`',
  })
  @MayBeLeftOut()
  @IsIn(ON_POISON)
  onPoison?: OnPoison;

  @ApiFlag(false, {
    required: false,
    description:
      'Whether an event that occurred before one that was delivered of its key is SKIPPED (SUPERSEDED). Turns on the ' +
      'ordering `key`. Default: false',
  })
  @MayBeLeftOut()
  @IsBoolean()
  latestOnly?: boolean;
}
