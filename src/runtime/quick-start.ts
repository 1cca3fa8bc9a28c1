import { enableCompileCache, setSourceMapsSupport } from 'node:module';
import { join } from 'node:path';

/**
 * Makes the next modules load faster; main.ts imports this file before them. V8's compiled code of all modules is kept in
 * dist/, next to the code it was made from, so that whoever could change one could change the other. Where dist/ is
 * read-only, nothing is kept. A build removes it. Stack traces show where StreamForge's own files were compiled from, for
 * which Node.js reads the source map of each module; those of packages are left out.
 */
enableCompileCache(join(__dirname, '../../.compile-cache'));
setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
