# Probes of the walls, in two halves. `send WORD ADDRESS`: inside a machine, as its own root; each line of standard input
# `N PROTO TO PORT` is one packet, twice. `tap WORD`: in a namespace of the fabric's; says of each of those packets by which device it
# came or went. They are known by a word of 32 bits, which no translation changes: TCP's sequence number, or the first of the payload;
# its lower half is N. The kernel hands a tap no other packet.
use strict; use warnings; use Socket;
$| = 1;
my ( $mode, $word, $address ) = @ARGV;
my $sport = 40000 + ( $word >> 16 ) % 20000;
sub errname { for my $k ( keys %! ) { return $k if $!{$k} } return 'errno ' . ( $! + 0 ) }
sub sum { my $d = shift; $d .= "\0" if length($d) % 2; my $s = 0; $s += $_ for unpack 'n*', $d; $s = ( $s & 0xffff ) + ( $s >> 16 ) while $s >> 16; ~$s & 0xffff }

if ( $mode eq 'tap' ) {
    socket( my $s, 17, SOCK_DGRAM, unpack 'S', pack 'n', 3 ) or die "packet socket: $!";
    my @filter = ( [ 0x30, 0, 0, 9 ], [ 0x15, 0, 2, 6 ], [ 0x20, 0, 0, 24 ], [ 0x05, 0, 0, 1 ], [ 0x20, 0, 0, 28 ], [ 0x54, 0, 0, 0xffff0000 ], [ 0x15, 0, 1, $word ], [ 0x06, 0, 0, 256 ], [ 0x06, 0, 0, 0 ] );
    my $code = join '', map { pack 'SCCL', @$_ } @filter;
    setsockopt( $s, SOL_SOCKET, 26, pack 'S x6 P', scalar @filter, $code ) or die "filter: $!";
    my %name;
    my $in = '';
    vec( $in, fileno STDIN, 1 ) = vec( $in, fileno $s, 1 ) = 1;
    print "ready\n";
    while ( select my $now = $in, undef, undef, undef ) {
        if ( vec $now, fileno $s, 1 ) {
            my $from = recv( $s, my $p, 256, MSG_DONTWAIT ) // next;
            next unless length $p >= 32 && ( ord( substr $p, 9, 1 ) != 6 || length $p >= 40 );
            my ( $index, $kind ) = unpack 'x4 i x2 C', $from;
            # What comes back is not what was sent, though it may bear the word: an echo, a service that repeats what it hears.
            my $proto = ord substr $p, 9, 1;
            next if $proto == 1 ? ord( substr $p, 20, 1 ) != 8 : unpack( 'x22 n', $p ) == $sport;
            # A machine's kernel answers an answer that nobody waits for: a reset, which bears the next number.
            next if $proto == 6 && ( ord( substr $p, 33, 1 ) & 0x16 ) != 2;
            my $number = $proto == 6 ? unpack 'x24 N', $p : unpack 'x28 N', $p;
            my $ask = pack 'x16 i x20', $index;
            $name{$index} //= ioctl( $s, 0x8910, $ask ) ? unpack 'Z16', $ask : $index;
            print $number & 0xffff, " $name{$index} ", $kind == 4 ? 'out' : 'in', "\n";
        }
        if ( vec $now, fileno STDIN, 1 ) { exit unless sysread STDIN, my $any, 1 }
    }
    exit;
}

socket( my $out, PF_INET, SOCK_RAW, 255 ) or die "raw socket: $!";
my @probes = map { [split] } <STDIN>;
my %said;
for my $round ( 1, 2 ) {
    for (@probes) {
        my ( $n, $proto, $to, $port ) = @$_;
        my ( $s, $d, $id, $number, $body ) = ( inet_aton($address), inet_aton($to), $word + $n, 17 );
        if ( $proto eq 'tcp' ) {
            $number = 6;
            my $tcp = sub { pack 'nnNNCCnnn', $sport, $port, $id, 0, 0x50, 2, 64000, $_[0], 0 };
            $body = $tcp->( sum( $s . $d . pack( 'CCn', 0, 6, 20 ) . $tcp->(0) ) );
        }
        elsif ( $proto eq 'udp' ) {
            my $udp = sub { pack 'nnnnN', $sport, $port, 12, $_[0], $id };
            $body = $udp->( sum( $s . $d . pack( 'CCn', 0, 17, 12 ) . $udp->(0) ) || 0xffff );
        }
        else {
            $number = 1;
            my $icmp = sub { pack 'CCnnnN', 8, 0, $_[0], $sport, $n, $id };
            $body = $icmp->( sum( $icmp->(0) ) );
        }
        my $head = sub { pack 'CCnnnCCna4a4', 0x45, 0, 20 + length $body, 0, 0, 64, $number, $_[0], $s, $d };
        my $sent = send $out, $head->( sum( $head->(0) ) ) . $body, 0, pack_sockaddr_in( 0, $d );
        $said{$n} = $sent ? 'sent' : errname() unless ( $said{$n} // '' ) eq 'sent';
    }
    select undef, undef, undef, 0.1 if $round == 1;
}
print "$_ $said{$_}\n" for sort keys %said;
