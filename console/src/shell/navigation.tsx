import { Link, useRouterState } from '@tanstack/react-router';
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { useCaller } from '../session/caller';
import { MENU_GROUPS, menuOf, type MenuPage } from './menu';

/**
 * The pages by group. They stand beside the content where there is room; shell.css decides. Elsewhere the button opens and
 * closes them.
 */
export function Navigation() {
  const caller = useCaller();
  const [isOpen, setIsOpen] = useState(false);
  const address = useRouterState({ select: ({ location }) => location.href });
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => setIsOpen(false), [address]);

  function closeByKey(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !isOpen) return;
    setIsOpen(false);
    button.current?.focus();
  }
  const pages = menuOf(caller);
  return (
    <>
      <div className="menu-bar" onKeyDown={closeByKey}>
        <button ref={button} type="button" aria-expanded={isOpen} aria-controls={id} onClick={() => setIsOpen(!isOpen)}>
          Menu
        </button>
      </div>
      <nav id={id} aria-label="Pages" className={isOpen ? 'menu open' : 'menu'} onKeyDown={closeByKey}>
        {MENU_GROUPS.map((group) => (
          <Group key={group} name={group} pages={pages.filter((page) => page.group === group)} />
        ))}
      </nav>
    </>
  );
}

function Group({ name, pages }: { name: string; pages: readonly MenuPage[] }) {
  const id = useId();
  if (pages.length === 0) return null;
  return (
    <div>
      <p id={id}>{name}</p>
      <ul aria-labelledby={id}>
        {pages.map(({ to, name: page }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
              {page}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
