// On a page that only comes after a send was answered: what web/kept-work.js kept for a second try is not needed any more.

import { forgetWork } from './kept-work.js';

forgetWork();
