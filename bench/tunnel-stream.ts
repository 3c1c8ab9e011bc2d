/**
 * A stream of bytes over one TCP connection, in Perl: every machine has it, and it costs little beside what is measured.
 * The node always dials, as its door allows nothing else; the first byte says which way the data goes.
 */
const block = 262_144;

/** Serves for good: `u` reads to the end and answers with the count, `d` writes for as long as it is read. */
export const sourceAndSink = (address: string, port: number): readonly string[] => [
  '/usr/bin/perl',
  '-MIO::Socket::IP',
  '-e',
  `$SIG{PIPE} = 'IGNORE';
   my $l = IO::Socket::IP->new(LocalHost => '${address}', LocalPort => ${port}, Listen => 5, ReuseAddr => 1) or die "$!\\n";
   my $zeroes = "\\0" x ${block};
   while (my $s = $l->accept) {
     sysread($s, my $way, 1) or next;
     if ($way eq 'u') {
       my ($sum, $n) = (0);
       $sum += $n while $n = sysread($s, my $b, ${block});
       syswrite($s, "$sum\\n");
     } else {
       1 while syswrite($s, $zeroes);
     }
     close $s;
   }`,
];

/** Sends or takes for `seconds`, then prints bytes per second as they arrived at the far end. */
export const stream = (
  way: 'up' | 'down',
  address: string,
  port: number,
  seconds: number,
): readonly string[] => [
  '/usr/bin/perl',
  '-MIO::Socket::IP',
  '-MTime::HiRes=time',
  '-e',
  `my $s = IO::Socket::IP->new(PeerHost => '${address}', PeerPort => ${port}, Timeout => 5) or die "$@\\n";
   syswrite($s, '${way === 'up' ? 'u' : 'd'}');
   my ($began, $sum, $zeroes) = (time, 0, "\\0" x ${block});
   if ('${way}' eq 'up') {
     while (time - $began < ${seconds}) { syswrite($s, $zeroes) // die "$!\\n" }
     shutdown($s, 1);
     sysread($s, my $said, 99) or die "no count came back\\n";
     $sum = $said + 0;
   } else {
     while (time - $began < ${seconds}) { my $n = sysread($s, my $b, ${block}) or die "it ended\\n"; $sum += $n }
   }
   printf "%.0f\\n", $sum / (time - $began);`,
];
