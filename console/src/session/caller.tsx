import { createContext, useContext } from 'react';
import { isAtLeast, type Role } from './roles';

export interface Caller {
  name: string;
  role: Role;
  /** Bound to no tenants. What concerns all tenants is for such operators alone. */
  seesAll: boolean;
}

export const CallerContext = createContext<Caller | undefined>(undefined);

export function useCaller(): Caller {
  const caller = useContext(CallerContext);
  if (!caller) throw new Error('nobody is signed in');
  return caller;
}

/** Whether the caller may do what needs this role. */
export const useMay = (least: Role): boolean => isAtLeast(useCaller().role, least);
