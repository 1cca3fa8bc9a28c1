import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One change that an operator made. */
@Entity('admin_audit')
export class AuditEntry {
  @PrimaryColumn('uuid')
  id!: string;

  @Column({ type: 'timestamp with time zone', insert: false, update: false })
  at!: Date;

  /** The name of the token. */
  @Column('text')
  actor!: string;

  @Column('text')
  action!: string;

  @Column('jsonb')
  filter!: object;

  @Column('jsonb')
  counts!: Record<string, number>;

  @Column('text', { nullable: true })
  note!: string | null;

  @Column('text', { name: 'correlation_id' })
  correlationId!: string;
}
