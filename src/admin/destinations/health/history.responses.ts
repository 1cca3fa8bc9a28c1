import { ApiCount, ApiInstant, ApiList } from '../../../http/docs/api-fields';

class DestinationMinute {
  @ApiInstant({ description: 'Start of the minute' }) at!: string;
  @ApiCount(118, { description: 'Number of successful attempts that ended in it' }) delivered!: number;
  @ApiCount(2, { description: 'Number of failed attempts that ended in it' }) failed!: number;
  @ApiCount(42, { nullable: true, description: 'Median duration of the successful attempts in milliseconds' }) p50Ms!:
    number | null;
  @ApiCount(180, { nullable: true, description: '95th percentile of the same durations' }) p95Ms!: number | null;
}

export class DestinationHistoryResponse {
  @ApiList(DestinationMinute, {
    description: 'The minutes of the last hour in which attempts ended, oldest first. The newest one still grows',
  })
  minutes!: DestinationMinute[];
}
