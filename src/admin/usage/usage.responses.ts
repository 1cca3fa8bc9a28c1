import { ApiCount, ApiDay, ApiList, ApiNextCursor, ApiText } from '../../http/docs/api-fields';

class UsageOfDay {
  @ApiText('demo') tenantId!: string;
  @ApiDay() day!: string;
  @ApiText('sale.completed') type!: string;
  @ApiCount(4) events!: number;
  @ApiCount(448) bytes!: number;
}

export class UsageResponse {
  @ApiList(UsageOfDay, { description: 'Usage, newest day first' }) usage!: UsageOfDay[];
  @ApiNextCursor() nextCursor!: string | null;
}
