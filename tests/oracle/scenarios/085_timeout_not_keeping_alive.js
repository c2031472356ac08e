'use strict';
// an armed idle timer does not keep the loop alive
const { mark, net, rec, scenario } = require('./recorder');
scenario(__filename, 'TIME-7 REF-5');

const s = new net.Socket();
s.setTimeout(5000, () => rec('socket', 'UNEXPECTED timeout'));
s.on('close', () => rec('socket', 'UNEXPECTED close'));
const t0 = Date.now();
mark('socket', 'armed');
process.prependListener('exit', () =>
  rec('process', 'exited early', Date.now() - t0 < 3000),
);
