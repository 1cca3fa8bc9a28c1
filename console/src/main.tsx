import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { isTransient } from './api/problem';
import { router } from './router';
import { signInByIssuer } from './session/issuer-sign-in';
import { signInByLink } from './session/sign-in-code';
import { SignInGate } from './session/sign-in-gate';
import { applyTheme, chosenTheme } from './shell/theme';
import './styles/tokens.css';
import './styles/elements.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/payload.css';
import './styles/live.css';
import './styles/operations.css';
import './styles/chart.css';

const RETRIES = 2;

/** Reads are repeated, actions never: an action without a response may have been carried out. */
const client = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < RETRIES && isTransient(error),
      networkMode: 'always', // the browser does not know whether StreamForge can be reached
      staleTime: 2_000,
    },
    mutations: { retry: false, networkMode: 'always' },
  },
});

applyTheme(chosenTheme());
signInByIssuer();
signInByLink();
addEventListener('hashchange', signInByLink); // the link was opened in this tab
const place = document.getElementById('root');
if (!place) throw new Error('index.html has no #root');
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <SignInGate>
        <RouterProvider router={router} />
      </SignInGate>
    </QueryClientProvider>
  </StrictMode>,
);
