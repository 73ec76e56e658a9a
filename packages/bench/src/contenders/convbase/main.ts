import { serve } from '../../serve.ts';
import { convbase } from './convbase.ts';

await serve(convbase);
