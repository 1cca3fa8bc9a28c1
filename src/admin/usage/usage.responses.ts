import { ApiCount, ApiDay, ApiFlag, ApiInstant, ApiList, ApiNextCursor, ApiText } from '../../http/docs/api-fields';

class UsageOfDay {
  @ApiText('demo') tenantId!: string;
  @ApiDay() day!: string;
  @ApiText('sale.completed') type!: string;
  @ApiCount(4, { description: 'Events that were accepted on this day' }) events!: number;
  @ApiCount(448, { description: 'Their bytes, as they were received' }) bytes!: number;
  @ApiCount(4, { description: 'Deliveries that arrived on this day' }) deliveries!: number;
  @ApiCount(4, { description: 'Generations of events of this day whose handlers succeeded' }) processed!: number;
  @ApiCount(448, { description: 'Bytes of their events' }) processedBytes!: number;
  @ApiFlag(false, { description: 'The month is closed: these figures change no more' }) closed!: boolean;
}

export class UsageResponse {
  @ApiList(UsageOfDay, { description: 'Usage, newest day first' }) usage!: UsageOfDay[];
  @ApiInstant({ description: 'Events, bytes and deliveries before this time are counted' }) countedThrough!: string;
  @ApiNextCursor() nextCursor!: string | null;
}
