/** Keys of a step, measure and dimension that have rows of their own, and as many tenants. */
export const MOST_KEYS = 100;

/**
 * Returns SQL that sums rows (at, dimension, tenant_id, key, bucket, count). The largest keys of each `at` and dimension
 * keep their rows. The others become one key, null, of each of the largest tenants, and those of all other tenants one key
 * of no tenant.
 */
export const folded = (rows: string): string => `
  select at, dimension, case when tenant_place <= ${MOST_KEYS} then tenant_id end as tenant_id,
         case when tenant_place <= ${MOST_KEYS} and place <= ${MOST_KEYS} then key end as key, bucket, sum(count)::bigint as count
    from (select totals.*,
                 dense_rank() over (partition by at, dimension
                                    order by key is null, of_key desc, tenant_id, key) as place,
                 dense_rank() over (partition by at, dimension
                                    order by tenant_id is null, of_tenant desc, tenant_id) as tenant_place
            from (select r.*, sum(count) over (partition by at, dimension, tenant_id, key) as of_key,
                         sum(count) over (partition by at, dimension, tenant_id) as of_tenant
                    from (${rows}) r) totals) placed
   group by 1, 2, 3, 4, 5`;
