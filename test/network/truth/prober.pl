# Stands in one network namespace, is fed by lines and sends raw packets; says what of them arrives here. A packet's identity
# is in it (TCP: its sequence number; UDP and ICMP: the payload), so that no translation on the way hides it. Whatever the
# namespace's own rules drop is seen all the same: the socket is before them.
#
#   s ID PROTO FROM TO SPORT DPORT   begins a flow            -> "f1" where it arrives, which answers: "r1" where that arrives
#   c ID                             goes on with it, here    -> "f2"
#   b ID                             says something back      -> "r2", from where it had arrived
use strict; use warnings; use Socket; use IO::Select;
$| = 1;
my %flow;    # what was begun here, and what arrived here, by id
my %own = map { $_ => 1 } @ARGV;    # this place's addresses; none: it answers for all
socket( my $in, 17, SOCK_DGRAM, unpack 'S', pack 'n', 0x0800 ) or die "packet socket: $!";
setsockopt $in, SOL_SOCKET, 33, pack 'i', 8 << 20;    # SO_RCVBUFFORCE
socket( my $out, PF_INET, SOCK_RAW, 255 ) or die "raw socket: $!";

sub sum { my $d = shift; $d .= "\0" if length($d) % 2; my $s = 0; $s += $_ for unpack 'n*', $d; $s = ( $s & 0xffff ) + ( $s >> 16 ) while $s >> 16; ~$s & 0xffff }

sub put {
    my ( $f, $kind, $id ) = @_;
    my $back = $kind =~ /r/ ? 1 : 0;
    my ( $from, $to, $sport, $dport ) = $back ? @$f{qw(to from dport sport)} : @$f{qw(from to sport dport)};
    my ( $s, $d ) = map { inet_aton $_ } $from, $to;
    my ( $number, $body );
    if ( $f->{proto} eq 'tcp' ) {
        $number = 6;
        my $flags = { f1 => 2, r1 => 18, h => 16, f2 => 24, r2 => 24 }->{$kind};
        my $seq = ( $id << 8 ) + ( $back ? 128 : 0 ) + ( $flags & 2 ? 0 : 1 );
        my $ack = $kind eq 'f1' ? 0 : ( $id << 8 ) + ( $back ? 0 : 128 ) + 1;
        my $tcp = sub { pack 'nnNNCCnnn', $sport, $dport, $seq, $ack, 0x50, $flags, 64000, $_[0], 0 };
        $body = $tcp->( sum( $s . $d . pack( 'CCn', 0, 6, 20 ) . $tcp->(0) ) );
    }
    elsif ( $f->{proto} eq 'udp' ) {
        $number = 17;
        my $data = "truth $id $kind";
        my $udp = sub { pack( 'nnnn', $sport, $dport, 8 + length $data, $_[0] ) . $data };
        $body = $udp->( sum( $s . $d . pack( 'CCn', 0, 17, 8 + length $data ) . $udp->(0) ) || 0xffff );
    }
    else {
        $number = 1;
        my $icmp = sub { pack( 'CCnnn', $back ? 0 : 8, 0, $_[0], $sport, 1 ) . "truth $id $kind" };
        $body = $icmp->( sum( $icmp->(0) ) );
    }
    my $head = sub { pack 'CCnnnCCna4a4', 0x45, 0, 20 + length $body, 0, 0, 64, $number, $_[0], $s, $d };
    send $out, $head->( sum( $head->(0) ) ) . $body, 0, pack_sockaddr_in( 0, $d );    # a way that isn't there is an answer too
}

sub seen {
    my $p = shift;
    return unless length $p >= 28 && ord($p) == 0x45;
    my ( $number, $s, $d ) = ( ord substr( $p, 9, 1 ), map { inet_ntoa substr $p, $_, 4 } 12, 16 );
    my ( $proto, $sport, $dport, $id, $kind );
    if ( $number == 6 && length $p >= 40 ) {
        $proto = 'tcp';
        ( $sport, $dport, my $seq, undef, undef, my $flags ) = unpack 'nnNNCC', substr $p, 20;
        return unless $flags & 10;    # neither SYN nor PSH: the third of a handshake
        $id = $seq >> 8;
        $kind = ( $seq & 128 ? 'r' : 'f' ) . ( $flags & 2 ? 1 : 2 );
    }
    elsif ( $number == 17 || $number == 1 ) {
        ( $id, $kind ) = substr( $p, 28 ) =~ /^truth (\d+) (\w\d)/ or return;
        $proto = $number == 17 ? 'udp' : 'icmp';
        ( $sport, $dport ) = $number == 17 ? unpack 'nn', substr $p, 20 : ( unpack 'x24n', $p ) x 2;
    }
    else { return }
    my $f = $flow{$id};
    if ( $kind eq 'f1' ) {
        $f = { proto => $proto, from => $s, to => $d, sport => $sport, dport => $dport };
        $flow{"at $id"} = $f;
        put( $f, 'r1', $id ) if !%own || $own{$d};
    }
    put( $f, 'h', $id ) if $kind eq 'r1' && $proto eq 'tcp' && $f;
    print "$id $kind\n";
}

my $lines = IO::Select->new( $in, \*STDIN );
my $text  = '';
print "ready\n";
while () {
    for my $ready ( $lines->can_read ) {
        if ( $ready == $in ) {
            my $from = recv $in, my $p, 2048, MSG_DONTWAIT;
            seen($p) if defined $from && unpack( 'x10C', $from ) != 4;    # 4: what this namespace itself sends
            next;
        }
        sysread( STDIN, $text, 65536, length $text ) or exit;
        while ( $text =~ s/^(.*)\n// ) {
            my ( $do, $id, @f ) = split ' ', $1;
            if ( $do eq 's' ) { my %f; @f{qw(proto from to sport dport)} = @f; $flow{$id} = \%f; put( \%f, 'f1', $id ) }
            if ( $do eq 'c' ) { put( $flow{$id}, 'f2', $id ) if $flow{$id} }
            if ( $do eq 'b' ) { put( $flow{"at $id"}, 'r2', $id ) if $flow{"at $id"} }
        }
    }
}
