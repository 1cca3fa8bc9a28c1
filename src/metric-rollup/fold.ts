/** Keys of a step, measure and dimension that have rows of their own. */
export const MOST_KEYS = 100;
/** Tenants of a step, measure and dimension that have rows of their own. */
export const MOST_TENANTS = 10_000;

/**
 * Returns SQL that sums rows (at, dimension, tenant_id, key, bucket, count). The largest keys of each `at` and dimension
 * keep their rows. The others become one key, null, of each tenant, so that the sums of a tenant stay right. Only tenants
 * beyond MOST_TENANTS become one key of no tenant. In the dimension `tenant`, each tenant keeps its key.
 */
export const folded = (rows: string): string => `
  select at, dimension, case when tenant_place <= ${MOST_TENANTS} then tenant_id end as tenant_id,
         case when tenant_place <= ${MOST_TENANTS} and (dimension = 'tenant' or place <= ${MOST_KEYS}) then key end as key,
         bucket, sum(count)::bigint as count
    from (select totals.*,
                 dense_rank() over (partition by at, dimension
                                    order by key is null, of_key desc, tenant_id, key) as place,
                 dense_rank() over (partition by at, dimension
                                    order by tenant_id is null, of_tenant desc, tenant_id) as tenant_place
            from (select r.*, sum(count) over (partition by at, dimension, tenant_id, key) as of_key,
                         sum(count) over (partition by at, dimension, tenant_id) as of_tenant
                    from (${rows}) r) totals) placed
   group by 1, 2, 3, 4, 5`;
