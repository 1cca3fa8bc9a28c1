import { Transform } from 'class-transformer';
import { IsBoolean } from 'class-validator';
import { ApiFlag } from '../../http/docs/api-fields';
import { MayBeLeftOut } from '../endpoint/rules';
import { EventPageQuery } from './event-filter';

export class EventsQuery extends EventPageQuery {
  @ApiFlag(false, { required: false, description: 'Whether to include the attempts of each event. Default: false' })
  @MayBeLeftOut()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  attempts = false;
}
