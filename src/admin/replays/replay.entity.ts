import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ReplayMode } from '../../event-state/replay-mode';

export type ReplayStatus = 'RUNNING' | 'DONE' | 'CANCELLED';

/** An order to send stored events through again. Which ones, and what became of each, is in replay_events. */
@Entity('replays')
export class Replay {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  mode!: ReplayMode;

  @Column('text', { default: 'RUNNING' })
  status!: ReplayStatus;

  @Column('jsonb')
  filter!: object;

  @Column('integer')
  matched!: number;

  /** The filter named more events than the limit let in. */
  @Column('boolean')
  more!: boolean;

  @Column('text', { name: 'requested_by' })
  requestedBy!: string;

  @Column('text', { name: 'correlation_id' })
  correlationId!: string;

  @Column({ type: 'timestamp with time zone', name: 'created_at', insert: false, update: false })
  createdAt!: Date;

  @Column({ type: 'timestamp with time zone', name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}
