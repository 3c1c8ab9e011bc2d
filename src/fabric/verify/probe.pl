# The prober: sends what it is told to, from inside a machine, and says how far each try came. It decides nothing: what to
# try is data from tries.ts, what it means is judge.ts's. Only modules of perl-base, so that it runs in every machine.
#
# It reads this program from standard input, and after __END__ the batch, one tab-separated order a line:
#   option NAME VALUE            dev, wait (ms after the last round), rounds, flush (ms, 0: never), secret, marker
#   begin  KEY ARGV…             a program run before the tries; a try that `needs` KEY is lost when it fails
#   set    KEY PATH VALUE        a sysctl, put back at the end
#   end    ARGV…                 a program run after the tries, whatever happened
#   show   KEY ARGV…             a program whose output is wanted
#   try    ID VERB NAME=VALUE…   one try
#   watch  NAME=VALUE…           stand inside and write down what arrives, until a file called `stop` appears
# and answers, one a line:  result ID STATE DETAIL | show KEY EXIT TEXT | seen IFACE SOURCE DESTINATION PROTOCOL PORT COUNT
#   STATE  sent: the kernel took it. answered: the far side replied. refused: the kernel did not (DETAIL is STAGE ERRNO).
#          reached: something of the host's was touched. held: the host's means were tried, and nothing gave way.
use strict;
use warnings;
use Socket qw(:DEFAULT inet_pton inet_ntop IPPROTO_TCP IPPROTO_UDP pack_sockaddr_in6 MSG_DONTWAIT SOCK_RAW);
use Fcntl;
use Errno qw(EINPROGRESS EPERM EACCES);
use IO::Select;
use POSIX ();

$| = 1;
# No order may keep the batch alive for ever.
$SIG{ALRM} = sub { cleanup(); exit 3 };
$SIG{TERM} = $SIG{INT} = $SIG{HUP} = $SIG{ALRM};
$SIG{PIPE} = 'IGNORE';
alarm 120;

my %ARCH = (
    x86_64  => { setns => 308, unshare => 272, ptrace => 101, mount => 165, mknod => 133 },
    aarch64 => { setns => 268, unshare => 97,  ptrace => 117, mount => 40,  mknod => undef },
);
my $machine = (POSIX::uname())[4];
my $sys     = $ARCH{$machine} || {};
my ( %option, %failed, @end, @tries, @restore, $watch );
%option = ( dev => 'eth0', wait => 700, rounds => 2, flush => 0, secret => '', marker => 'sallyport-verify' );

sub say_line { print join( "\t", map { my $x = defined $_ ? $_ : ''; $x =~ s/\\/\\\\/g; $x =~ s/\n/\\n/g; $x =~ s/\t/\\t/g; $x } @_ ), "\n" }
sub now { my ($s, $us) = (0, 0); my $b = "\0" x 16; if ( $machine eq 'x86_64' ) { syscall( 96, $b, 0 ); } else { syscall( 169, $b, 0 ); } ( $s, $us ) = unpack 'q q', $b; return $s + $us / 1e6 }
sub errname { my $n = $! + 0; for my $k ( keys %! ) { return $k if $!{$k} } return "errno $n" }

sub run_program {    # ARGV → (exit, output); never through a shell
    my @argv = @_;
    pipe( my $r, my $w ) or return ( 127, "$!" );
    my $pid = fork;
    return ( 127, "$!" ) unless defined $pid;
    if ( !$pid ) {
        close $r;
        open STDIN, '<', '/dev/null';
        POSIX::dup2( fileno($w), 1 );
        POSIX::dup2( fileno($w), 2 );
        $ENV{PATH} = '/usr/sbin:/usr/bin:/sbin:/bin';
        { no warnings; exec { $argv[0] } @argv; }
        print STDERR "$argv[0]: $!\n";
        POSIX::_exit(127);
    }
    close $w;
    local $/;
    my $out = <$r>;
    waitpid $pid, 0;
    return ( $? >> 8, defined $out ? $out : '' );
}

my $cleaned = 0;

sub cleanup {
    return if $cleaned++;
    for my $c (@end) { run_program(@$c) }
    for my $s ( reverse @restore ) { write_file(@$s) }
}
sub write_file { my ( $p, $v ) = @_; open( my $f, '>', $p ) or return 0; print {$f} $v; return close $f }
sub read_file { my ( $p, $max ) = @_; sysopen( my $f, $p, O_RDONLY | O_NONBLOCK ) or return undef; my $b = ''; sysread $f, $b, $max || 65536; return $b }

# ---- addresses and packets ------------------------------------------------------------------------------------------
sub is6     { $_[0] =~ /:/ }
sub family  { is6( $_[0] ) ? AF_INET6 : AF_INET }
sub packed  { inet_pton( family( $_[0] ), $_[0] ) }
sub address { my ( $a, $p ) = @_; is6($a) ? pack_sockaddr_in6( $p || 0, packed($a) ) : pack_sockaddr_in( $p || 0, packed($a) ) }

sub checksum {
    my $d = shift;
    $d .= "\0" if length($d) % 2;
    my $s = 0;
    $s += $_ for unpack 'n*', $d;
    $s = ( $s & 0xffff ) + ( $s >> 16 ) while $s >> 16;
    return ~$s & 0xffff;
}

sub udp_of {
    my ( $src, $dst, $port, $data ) = @_;
    my $len  = 8 + length $data;
    my $head = is6($dst) ? $src . packed($dst) . pack( 'N C3 C', $len, 0, 0, 0, 17 ) : packed($src) . packed($dst) . pack( 'C C n', 0, 17, $len );
    my $sum = checksum( $head . pack( 'n n n n', 33333, $port, $len, 0 ) . $data ) || 0xffff;
    return pack( 'n n n n', 33333, $port, $len, $sum ) . $data;
}

sub ip4_of {
    my ( $src, $dst, $proto, $body ) = @_;
    my $h = pack 'C C n n n C C n a4 a4', 0x45, 0, 20 + length $body, 0x5a11, 0, 64, $proto, 0, packed($src), packed($dst);
    substr( $h, 10, 2 ) = pack 'n', checksum($h);
    return $h . $body;
}

sub dev_index { my $i = pack 'a16 x24', $_[0]; socket( my $s, AF_INET, SOCK_DGRAM, 0 ) or return; ioctl( $s, 0x8933, $i ) or return; return unpack 'x16 i', $i }
sub dev_mac   { my $i = pack 'a16 x24', $_[0]; socket( my $s, AF_INET, SOCK_DGRAM, 0 ) or return; ioctl( $s, 0x8927, $i ) or return; return substr $i, 18, 6 }
sub dev_ip4   { my $i = pack 'a16 x24', $_[0]; socket( my $s, AF_INET, SOCK_DGRAM, 0 ) or return; ioctl( $s, 0x8915, $i ) or return; return inet_ntop( AF_INET, substr $i, 20, 4 ) }

sub packet_socket {    # AF_PACKET is 17; raw unless told otherwise
    my ( $dev, $proto, $type ) = @_;
    socket( my $s, 17, $type || SOCK_RAW, unpack( 'S', pack 'n', $proto ) ) or return;
    my $index = $dev ? dev_index($dev) : 0;
    return unless defined $index;
    bind( $s, pack 'S n i S C C a8', 17, $proto, $index, 0, 0, 0, '' ) or return;
    return $s;
}

my $gateway_mac;

sub gateway_mac {      # the router's: what the kernel knows already, else by a question of our own
    return $gateway_mac if defined $gateway_mac;
    $gateway_mac = '';
    for ( split /\n/, read_file('/proc/net/arp') || '' ) {
        my @f = split ' ';
        return $gateway_mac = pack( 'H12', join '', split /:/, $f[3] ) if @f >= 6 && $f[5] eq $option{dev} && $f[2] eq '0x2';
    }
    my $gw = $option{gateway} or return '';
    my ( $mac, $ip ) = ( dev_mac( $option{dev} ), dev_ip4( $option{dev} ) );
    my $s = packet_socket( $option{dev}, 0x0806 ) or return '';
    my $ask = "\xff" x 6 . $mac . pack( 'n n n C C n a6 a4 a6 a4', 0x0806, 1, 0x0800, 6, 4, 1, $mac, packed($ip), "\0" x 6, packed($gw) );
    # A proxy that answers for others takes its time, up to 0.8 s where nobody told it not to.
    for ( 1 .. 4 ) {
        send $s, $ask, 0;
        my $till = now() + 0.5;
        while ( now() < $till ) {
            my $in = '';
            vec( $in, fileno($s), 1 ) = 1;
            select( $in, undef, undef, 0.05 ) or next;
            recv $s, my $f, 128, 0;
            next unless length $f >= 42 && unpack( 'x20 n', $f ) == 2;
            return $gateway_mac = substr $f, 22, 6 if substr( $f, 28, 4 ) eq packed($gw);
        }
    }
    return '';
}

# ---- tries over the network -----------------------------------------------------------------------------------------
# Each opens once and hands back how to send again, so that a round is short and rounds repeat.
my %open = ( tcp => \&open_tcp, udp => \&open_udp, icmp => \&open_icmp, raw => \&open_raw, frame => \&open_frame, tun => \&open_tun );

sub refuse { my ( $t, $stage ) = @_; $t->{state} ||= 'refused'; $t->{detail} ||= $stage . ' ' . errname(); return }

# What a later round could send counts, whatever an earlier one met.
sub sent { my $t = shift; $t->{detail} = '' if ( $t->{state} || '' ) eq 'refused'; $t->{state} = 'sent' unless ( $t->{state} || '' ) eq 'answered' }

sub prepare_socket {
    my ( $t, $s ) = @_;
    fcntl( $s, F_SETFL, O_NONBLOCK );
    if ( $t->{dev} ) { setsockopt( $s, SOL_SOCKET, 25, pack 'Z16', $t->{dev} ) or return refuse( $t, 'bind' ) }
    if ( $t->{from} ) { bind( $s, address( $t->{from}, 0 ) ) or return refuse( $t, 'bind' ) }
    return 1;
}

sub open_tcp {
    my $t = shift;
    socket( my $first, family( $t->{to} ), SOCK_STREAM, IPPROTO_TCP ) or return refuse( $t, 'socket' );
    prepare_socket( $t, $first ) or return;
    my @sockets = ($first);
    my $round = 0;
    $t->{send} = sub {
        my $s = $first;
        if ( $round++ ) {    # a second first packet needs a second socket
            socket( $s, family( $t->{to} ), SOCK_STREAM, IPPROTO_TCP ) or return;
            prepare_socket( $t, $s ) or return;
            push @sockets, $s;
        }
        if ( connect( $s, address( $t->{to}, $t->{port} ) ) ) { $t->{state} = 'answered'; $t->{detail} = 'connected' }
        elsif ( $!{EINPROGRESS} ) { $t->{state} = 'sent' unless ( $t->{state} || '' ) eq 'answered'; $t->{detail} = '' if ( $t->{detail} || '' ) !~ /^far/ }
        else                      { refuse( $t, 'send' ) }
    };
    $t->{collect} = sub {
        for my $s (@sockets) {
            next if $t->{state} eq 'answered';
            my $ready = '';
            vec( $ready, fileno($s), 1 ) = 1;
            select( undef, $ready, undef, 0 ) or next;
            my $error = unpack 'i', getsockopt( $s, SOL_SOCKET, SO_ERROR );
            if ( getpeername $s ) { $t->{state} = 'answered'; $t->{detail} = 'connected' }
            elsif ($error) { local $! = $error; $t->{detail} = 'far ' . errname() }
        }
    };
}

sub open_udp {
    my $t = shift;
    socket( my $s, family( $t->{to} ), SOCK_DGRAM, IPPROTO_UDP ) or return refuse( $t, 'socket' );
    prepare_socket( $t, $s ) or return;
    connect( $s, address( $t->{to}, $t->{port} ) ) or return refuse( $t, 'send' );
    my $data = defined $t->{hex} ? pack( 'H*', $t->{hex} ) : "$option{marker} $t->{id}";
    $t->{socket}  = $s;
    $t->{send}    = sub { defined send( $s, $data, 0 ) ? sent($t) : refuse( $t, 'send' ) };
    $t->{collect} = sub {
        if ( defined recv( $s, my $b, 2048, MSG_DONTWAIT ) ) { $t->{state} = 'answered'; $t->{detail} = length($b) . ' bytes came back' }
        elsif ( !$!{EAGAIN} ) { $t->{detail} = 'far ' . errname() if $t->{state} eq 'sent' }
    };
}

sub open_icmp {
    my $t = shift;
    my ( $proto, $type ) = is6( $t->{to} ) ? ( 58, 128 ) : ( 1, 8 );
    my $s;
    if ( !socket( $s, family( $t->{to} ), SOCK_RAW, $proto ) ) {
        socket( $s, family( $t->{to} ), SOCK_DGRAM, $proto ) or return refuse( $t, 'socket' );
    }
    prepare_socket( $t, $s ) or return;
    my $body = "$option{marker} $t->{id}";
    my $p = pack( 'C C n n n', $type, 0, 0, $$ & 0xffff, 1 ) . $body;
    substr( $p, 2, 2 ) = pack 'n', checksum($p) if $proto == 1;
    $t->{send}    = sub { defined send( $s, $p, 0, address( $t->{to}, 0 ) ) ? sent($t) : refuse( $t, 'send' ) };
    $t->{collect} = sub {
        while ( my $from = recv $s, my $b, 2048, MSG_DONTWAIT ) {
            $b = substr $b, 20 if $proto == 1 && length $b > 28 && ord($b) >> 4 == 4;
            next if ord($b) == $type || index( $b, $body ) < 0 || ord($b) != ( $proto == 1 ? 0 : 129 );
            $t->{state} = 'answered';
            $t->{detail} = 'an echo came back';
        }
    };
}

sub open_raw {
    my $t = shift;
    my $body = "$option{marker} $t->{id}";
    if ( defined $t->{source} ) {    # a header of our own, with a source that isn't ours
        socket( my $s, AF_INET, SOCK_RAW, 255 ) or return refuse( $t, 'socket' );
        prepare_socket( $t, $s ) or return;
        my $p = ip4_of( $t->{source}, $t->{to}, 17, udp_of( $t->{source}, $t->{to}, $t->{port}, $body ) );
        $t->{send} = sub { defined send( $s, $p, 0, address( $t->{to}, 0 ) ) ? sent($t) : refuse( $t, 'send' ) };
        return;
    }
    socket( my $s, family( $t->{to} ), SOCK_RAW, $t->{proto} ) or return refuse( $t, 'socket' );
    prepare_socket( $t, $s ) or return;
    $t->{send} = sub { defined send( $s, $body, 0, address( $t->{to}, 0 ) ) ? sent($t) : refuse( $t, 'send' ) };
}

sub open_frame {
    my $t    = shift;
    my $dev  = $t->{dev} || $option{dev};
    my $s    = packet_socket( $dev, 0x0300 ) or return refuse( $t, 'socket' );
    my $from = dev_mac($dev);
    my $to   = gateway_mac();
    $t->{detail} = 'no router answers ARP, so it went to all' if $to eq '';
    my $body = "$option{marker} $t->{id}";
    my ( $type, $data );
    if ( $t->{kind} eq 'ether' ) { $type = hex $t->{type}; $data = $body . "\0" x 32; $to = "\xff" x 6 }
    elsif ( $t->{kind} eq 'udp6' ) {
        my $src = packed( $t->{source} );
        my $udp = udp_of( $src, $t->{to}, $t->{port}, $body );
        $type = 0x86dd;
        $data = pack( 'N n C C', 0x60000000, length $udp, 17, 64 ) . $src . packed( $t->{to} ) . $udp;
    }
    elsif ( $t->{kind} eq 'frag4' ) {
        $type = 0x0800;
        $data = ip4_of( $t->{source}, $t->{to}, 17, $body . "\0" x 32 );
        substr( $data, 6, 2 )  = pack 'n', 185;    # an offset of 1480 bytes, the last of its packet
        substr( $data, 10, 2 ) = "\0\0";
        substr( $data, 10, 2 ) = pack 'n', checksum( substr $data, 0, 20 );
    }
    else { $type = 0x0800; $data = ip4_of( $t->{source}, $t->{to}, 17, udp_of( $t->{source}, $t->{to}, $t->{port}, $body ) ) }
    my $tag = defined $t->{vlan} ? pack( 'n n', 0x8100, $t->{vlan} ) : '';
    my $frame = ( $to eq '' ? "\xff" x 6 : $to ) . $from . $tag . pack( 'n', $type ) . $data;
    $t->{send} = sub { defined send( $s, $frame, 0 ) ? sent($t) : refuse( $t, 'send' ) };
}

# A packet put into the machine's own stack by a tun device: what a machine that forwards would let past its output rules.
sub open_tun {
    my $t = shift;
    sysopen( my $f, '/dev/net/tun', O_RDWR ) or return refuse( $t, 'socket' );
    my $r = pack 'Z16 S x22', $t->{name}, 0x1001;
    ioctl( $f, 0x400454ca, $r ) or return refuse( $t, 'socket' );
    my ( $exit, $text ) = run_program( '/usr/sbin/ip', 'link', 'set', $t->{name}, 'up' );
    if ($exit) { $t->{state} = 'refused'; $t->{detail} = "prepare $text"; return }
    run_program( '/usr/sbin/ip', 'route', 'replace', "$t->{source}/32", 'dev', $t->{name} );
    my $p = ip4_of( $t->{source}, $t->{to}, 17, udp_of( $t->{source}, $t->{to}, $t->{port}, "$option{marker} $t->{id}" ) );
    $t->{socket} = $f;
    $t->{send} = sub { defined syswrite( $f, $p ) ? sent($t) : refuse( $t, 'send' ) };
}

# ---- tries by the host's means --------------------------------------------------------------------------------------
sub pids { opendir( my $d, '/proc' ) or return; return sort { $a <=> $b } grep { /^\d+$/ } readdir $d }
sub secret_in { my $x = read_file( $_[0], 4096 ); return defined $x && length $option{secret} && index( $x, $option{secret} ) >= 0 }

my %host = (
    unix => sub {    # a socket of the host's file system, or of its abstract names
        my $t = shift;
        my @names = $t->{path} ? ( $t->{path}, map { ( "/proc/$_/root$t->{path}", "/proc/$_/cwd/../../../../..$t->{path}" ) } pids() ) : "\0$t->{abstract}";
        my $last = 'socket ENOENT';
        for my $name (@names) {
            next if length $name > 107;
            socket( my $s, AF_UNIX, SOCK_STREAM, 0 ) or return ( 'refused', 'socket ' . errname() );
            if ( connect( $s, pack 'S a*', AF_UNIX, $name ) ) { syswrite $s, "$option{marker} $t->{id}\n"; return ( 'reached', 'connected' ) }
            $last = 'socket ' . errname();
        }
        return ( 'held', $last );
    },
    file => sub {    # a file of the host's, by its own path and past every process that can be seen
        my $t    = shift;
        my $n    = 0;
        my $path = $t->{path};
        my $up   = '/..' x 12;
        my @look = ($path);
        for my $p ( pids() ) {
            push @look, "/proc/$p/root$path", "/proc/$p/cwd$up$path";
            opendir( my $d, "/proc/$p/fd" ) or next;
            for my $fd ( grep { /^\d+$/ } readdir $d ) { push @look, "/proc/$p/fd/$fd$up$path" if -d "/proc/$p/fd/$fd" }
        }
        for (@look) { $n++; return ( 'reached', "read through $_" ) if secret_in($_) }
        my @all = pids();
        return ( 'held', scalar(@all) . " processes seen, $n ways tried" );
    },
    nsenter => sub {    # every namespace of every process that can be seen
        my $t = shift;
        return ( 'held', 'no setns here' ) unless $sys->{setns};
        my ( %mine, %tried );
        my ( $entered, $errors ) = ( 0, '' );
        my $outside = '';
        $mine{$_} = readlink "/proc/self/ns/$_" for qw(user net mnt pid);
        for my $p ( pids() ) {
            next if $p == $$;
            for my $kind (qw(user net mnt)) {
                my $file = "/proc/$p/ns/$kind";
                my $id = readlink $file;
                if ( !defined $id ) { $errors ||= errname(); next }
                next if $id eq ( $mine{$kind} || '' ) || $tried{$id}++;
                pipe( my $r, my $w );
                my $child = fork;
                if ( !$child ) {
                    my $said = 'no';
                    my $ns;
                    if ( sysopen( $ns, $file, O_RDONLY ) and syscall( $sys->{setns}, fileno($ns), 0 ) == 0 ) {
                        $said = 'in';
                        if ( $kind eq 'mnt' && secret_in( $t->{path} ) ) { $said = 'outside' }
                        if ( $kind eq 'user' && sysopen( my $mnt, "/proc/$p/ns/mnt", O_RDONLY ) ) {
                            $said = 'outside' if syscall( $sys->{setns}, fileno($mnt), 0 ) == 0 && secret_in( $t->{path} );
                        }
                        if ( $kind eq 'net' && socket( my $s, AF_INET, SOCK_DGRAM, 0 ) ) { send $s, "$option{marker} $t->{id}", 0, address( $t->{to}, $t->{port} ) }
                    }
                    syswrite $w, $said;
                    POSIX::_exit(0);
                }
                close $w;
                my $said = <$r> || 'no';
                waitpid $child, 0;
                $entered++ if $said ne 'no';
                $outside = "$kind namespace of process $p" if $said eq 'outside';
            }
        }
        return ( 'reached', $outside ) if $outside;
        return ( $entered ? 'sent' : 'held', "$entered namespaces besides its own entered, none of them outside" . ( $errors ? " ($errors)" : '' ) );
    },
    parent => sub {    # the user namespace above: NS_GET_USERNS, then NS_GET_PARENT upwards
        my $t = shift;
        return ( 'held', 'no setns here' ) unless $sys->{setns};
        my $child = open( my $r, '-|' );
        if ( !$child ) {
            my $level = 0;
            my $answer = 'held	';
            if ( sysopen my $ns, '/proc/self/ns/user', O_RDONLY ) {
                while () {
                    my $fd = ioctl( $ns, 0xb702, 0 );
                    if ( !$fd ) { $answer .= ( $level ? "$level above seen, then " : '' ) . 'ioctl ' . errname(); last }
                    $level++;
                    open( my $up, '<&=', $fd + 0 ) or last;
                    $answer = "reached\tentered $level above" if syscall( $sys->{setns}, fileno($up), 0 ) == 0;
                    $ns = $up;
                }
            }
            print $answer;
            POSIX::_exit(0);
        }
        my $text = <$r>;
        close $r;
        return split /\t/, $text || "held\t", 2;
    },
    mount => sub {    # block devices, the kernel's own file systems, and a /proc mounted afresh, in a mount namespace of its own
        my $t = shift;
        return ( 'held', 'no unshare here' ) unless $sys->{unshare};
        my $child = open( my $r, '-|' );
        if ( !$child ) {
            my ( @refused, $answer );
            if ( syscall( $sys->{unshare}, 0x20000 ) != 0 ) { print "held\tunshare " . errname(); POSIX::_exit(0) }
            run_program( '/usr/bin/mount', '--make-rprivate', '/' );
            my $at = '/tmp/.sallyport-mount';
            run_program( '/usr/bin/mount', '-t', 'tmpfs', 'none', '/tmp' );
            mkdir $at;
            for ( split /\n/, read_file('/proc/partitions') || '' ) {
                my ( $major, $minor, undef, $name ) = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)/ or next;
                my ($bad) = run_program( '/usr/bin/mknod', "/tmp/$name", 'b', $major, $minor );
                if ( !$bad && sysopen( my $d, "/tmp/$name", O_RDONLY ) ) { $answer = "reached\topened the disk $name"; last }
                push @refused, $name;
            }
            for my $fs (qw(debugfs tracefs securityfs cgroup bpf)) {
                my ($bad) = run_program( '/usr/bin/mount', '-t', $fs, 'none', $at );
                next if $bad;
                $answer ||= "reached\tmounted the kernel's $fs" if $fs =~ /debugfs|tracefs|securityfs/;
                $answer ||= "reached\tmounted a cgroup with a release agent" if $fs eq 'cgroup' && -w "$at/release_agent" && write_probe("$at/release_agent");
                run_program( '/usr/bin/umount', $at );
            }
            if ( !( run_program( '/usr/bin/mount', '-t', 'proc', 'proc', $at ) )[0] ) {
                opendir( my $d, $at );
                for ( grep { /^\d+$/ } readdir $d ) { $answer ||= "reached\tread through a new /proc" if secret_in("$at/$_/root$t->{path}") }
            }
            print $answer || "held\t" . ( @refused ? scalar(@refused) . ' disks, ' : '' ) . 'kernel file systems and a new /proc: nothing of the host';
            POSIX::_exit(0);
        }
        my $text = <$r>;
        close $r;
        return split /\t/, $text || "held\t", 2;
    },
    vsock => sub {    # past every network namespace, where no recorder stands: the socket alone is the way, so nothing is sent
        my $t = shift;
        my $last = '';
        for my $type ( SOCK_STREAM, SOCK_DGRAM, 5 ) {
            return ( 'reached', "a socket of type $type was opened" ) if socket( my $s, $t->{family}, $type, 0 );
            # No transport for this type: the family is there all the same.
            return ( 'reached', "no socket of type $type, but the family is there: " . errname() ) unless $!{EAFNOSUPPORT} || $!{EPERM} || $!{EACCES};
            $last = 'socket ' . errname();
        }
        return ( 'held', $last );
    },
    device => sub {    # devices there are, and devices made
        my $t = shift;
        my %fine = map { $_ => 1 } qw(null zero full random urandom tty ptmx tun console);
        my ( @seen, @stack );
        @stack = ('/dev');
        while ( defined( my $folder = shift @stack ) ) {
            opendir( my $d, $folder ) or next;
            for ( sort readdir $d ) {
                next if /^\.\.?$/ || -l "$folder/$_";
                if ( -d "$folder/$_" ) { push @stack, "$folder/$_" unless "$folder/$_" =~ m{/dev/(pts|shm|mqueue|fd)$}; next }
                next unless -b "$folder/$_" || -c "$folder/$_";
                next if $fine{$_};
                push @seen, "$folder/$_" if sysopen my $f, "$folder/$_", O_RDONLY | O_NONBLOCK;
            }
        }
        my @made;
        for ( [ 'mem', 'c', 1, 1 ], [ 'port', 'c', 1, 4 ], [ 'kmsg', 'c', 1, 11 ], [ 'vsock', 'c', 10, 258 ] ) {
            my ( $name, @rest ) = @$_;
            my $path = "/tmp/.sallyport-$name-$$";
            my ($bad) = run_program( '/usr/bin/mknod', $path, @rest );
            push @made, $name if !$bad && sysopen my $f, $path, O_RDONLY | O_NONBLOCK;
            unlink $path;
        }
        return ( 'reached', join ' ', 'opened', @seen, @made ) if @seen || @made;
        return ( 'held', 'none beyond the usual, none could be made' );
    },
    ptrace => sub {    # PTRACE_SEIZE does not stop what it takes, and lets go when we end
        my $t = shift;
        return ( 'held', 'no ptrace here' ) unless $sys->{ptrace};
        my %above;
        for ( my $p = $$ ; $p > 0 && !$above{$p} ; ) { $above{$p} = 1; my $s = read_file("/proc/$p/stat") || ''; $p = $s =~ /\) \S (\d+)/ ? $1 : 0 }
        my $others = 0;
        for my $p ( grep { !$above{$_} } pids() ) {
            $others++;
            my $child = open( my $r, '-|' );
            if ( !$child ) { print syscall( $sys->{ptrace}, 0x4206, $p, 0, 0 ) == 0 ? 'took' : 'no'; POSIX::_exit(0) }
            my $said = <$r> || '';
            close $r;
            return ( 'reached', "process $p" ) if $said eq 'took' && -e "/proc/$p";
        }
        return ( 'held', "$others other processes seen" );
    },
    run => sub {    # a program that must not succeed; `undo` takes back what it did
        my $t = shift;
        my ( $exit, $text ) = run_program( split /\x1f/, $t->{argv} );
        run_program( split /\x1f/, $t->{undo} ) if !$exit && $t->{undo};
        return $exit ? ( 'held', ( split /\n/, $text )[0] || "exit $exit" ) : ( 'reached', 'it was let' );
    },
);

sub write_probe { sysopen( my $f, $_[0], O_WRONLY ) or return 0; return 1 }

# ---- watching from inside -------------------------------------------------------------------------------------------
# Listens on ports that nothing else speaks on, and reads every frame of an interface before any rule judges it.
sub watch_now {
    my %w = @_;
    my ( %seen, %kind, @sockets );
    my $note = sub { $seen{ join "\t", @_ }++ };
    for my $port ( split /,/, $w{ports} || '' ) {
        if ( socket my $u, AF_INET6, SOCK_DGRAM, IPPROTO_UDP ) { bind( $u, pack_sockaddr_in6( $port, packed('::') ) ) and push @sockets, [ $u, 'udp', $port ] }
        if ( socket my $l, AF_INET6, SOCK_STREAM, IPPROTO_TCP ) {
            setsockopt $l, SOL_SOCKET, SO_REUSEADDR, pack 'i', 1;
            bind( $l, pack_sockaddr_in6( $port, packed('::') ) ) and listen( $l, 8 ) and push @sockets, [ $l, 'tcp', $port ];
        }
    }
    for my $dev ( split /,/, $w{devs} || '' ) {
        my $s = packet_socket( $dev, 0x0003, SOCK_DGRAM ) or do { say_line( 'result', 'watch', 'refused', "$dev socket " . errname() ); next };
        push @sockets, [ $s, 'packet', $dev ];
    }
    my $select = IO::Select->new( map { $_->[0] } @sockets );
    $kind{ fileno $_->[0] } = $_ for @sockets;
    write_file( $w{ready}, "ready\n" ) or die "can't write $w{ready}: $!\n";
    my $till = now() + ( $w{seconds} || 60 );
    while ( now() < $till && !-e $w{stop} ) {
        for my $s ( $select->can_read(0.1) ) {
            my ( undef, $what, $of ) = @{ $kind{ fileno $s } };
            if ( $what eq 'tcp' ) { my $peer = accept( my $c, $s ) or next; my ( undef, $ip ) = Socket::unpack_sockaddr_in6($peer); $note->( 'listener', inet_ntop( AF_INET6, $ip ), '', 'tcp', $of ); next }
            my $from = recv $s, my $p, 256, MSG_DONTWAIT;
            next unless defined $from;
            if ( $what eq 'udp' ) { my ( undef, $ip ) = Socket::unpack_sockaddr_in6($from); $note->( 'listener', inet_ntop( AF_INET6, $ip ), '', 'udp', $of ); next }
            next if length $from > 11 && unpack( 'x10 C', $from ) == 4;    # what this machine itself sends out
            my ( $src, $dst, $proto, $at );
            my $version = length $p ? ord($p) >> 4 : 0;
            if    ( $version == 4 && length $p >= 20 ) { $proto = ord substr $p, 9, 1; $src = inet_ntop( AF_INET,  substr $p, 12, 4 );  $dst = inet_ntop( AF_INET,  substr $p, 16, 4 );  $at = 4 * ( ord($p) & 15 ) }
            elsif ( $version == 6 && length $p >= 40 ) { $proto = ord substr $p, 6, 1; $src = inet_ntop( AF_INET6, substr $p, 8,  16 ); $dst = inet_ntop( AF_INET6, substr $p, 24, 16 ); $at = 40 }
            else                                       { next }
            my $port = ( $proto == 6 || $proto == 17 ) && length $p >= $at + 4 ? unpack 'n', substr $p, $at + 2, 2 : '';
            $note->( $of, $src, $dst, { 1 => 'icmp', 6 => 'tcp', 17 => 'udp', 58 => 'icmpv6' }->{$proto} || $proto, $port );
        }
    }
    say_line( 'seen', ( split /\t/, $_, -1 ), $seen{$_} ) for sort keys %seen;
    unlink $w{ready}, $w{stop};
    say_line( 'result', 'watch', 'sent', scalar(@sockets) . ' sockets' );
}

# ---- the batch ------------------------------------------------------------------------------------------------------
my ( @orders, @late );
while ( my $line = <DATA> ) {
    chomp $line;
    next if $line eq '';
    my ( $order, @f ) = split /\t/, $line, -1;
    if    ( $order eq 'option' ) { $option{ $f[0] } = $f[1] }
    elsif ( $order eq 'end' )    { push @end, [@f] }
    elsif ( $order eq 'watch' )  { $watch = { map { split /=/, $_, 2 } @f } }
    elsif ( $order eq 'try' )    { my ( $id, $verb, @kv ) = @f; push @tries, { id => $id, verb => $verb, map { split /=/, $_, 2 } @kv } }
    else                         { push @orders, [ $order, @f ] }
}
for (@orders) {
    my ( $order, $key, @rest ) = @$_;
    if ( $order eq 'show' ) { my ( $exit, $text ) = run_program(@rest); say_line( 'show', $key, $exit, $text ); next }
    if ( $order eq 'set' ) {
        my $old = read_file( $rest[0], 256 );
        if ( defined $old && write_file(@rest) ) { push @restore, [ $rest[0], $old ] }
        else                                     { $failed{$key} ||= "$rest[0]: " . errname() }
        next;
    }
    if ( grep { /\{gateway-mac\}/ } @rest ) {
        my $mac = join ':', unpack '(H2)6', gateway_mac();
        if ( $mac eq '' ) { $failed{$key} ||= 'no router answers ARP'; next }
        s/\{gateway-mac\}/$mac/ for @rest;
    }
    my ( $exit, $text ) = run_program(@rest);
    $failed{$key} ||= ( split /\n/, $text )[0] || "exit $exit" if $exit;
}
if ($watch) { watch_now(%$watch); cleanup(); exit 0 }

my $flushed = 0;
my $flush   = sub {
    return unless $option{flush} && ( $_[0] || now() - $flushed > $option{flush} / 1000 );
    my ( $exit, $text ) = run_program( '/usr/sbin/nft', 'flush', 'ruleset' );
    say_line( 'result', 'flush', $exit ? ( 'refused', "flush $text" ) : ( 'sent', '' ) ) unless $flushed;
    $flushed = now();
};
$flush->();
my @network = grep { $open{ $_->{verb} } } @tries;
for my $t (@network) {
    if ( defined $t->{needs} && defined $failed{ $t->{needs} } ) { $t->{state} = 'refused'; $t->{detail} = "prepare $failed{ $t->{needs} }"; next }
    $open{ $t->{verb} }->($t);
}
my $pause = sub { my $till = now() + $_[0] / 1000; while ( ( my $left = $till - now() ) > 0 ) { $flush->(); select undef, undef, undef, $left < 0.05 ? $left : 0.05 } };
for my $round ( 1 .. $option{rounds} ) {
    $flush->(1);    # an agent may have put its rules back meanwhile
    for (@network) { $_->{send}->() if $_->{send} && ( $_->{state} || '' ) ne 'answered' }
    $pause->(150) if $round < $option{rounds};
    $_->{collect} && $_->{collect}->() for @network;
}
for my $t ( grep { !$open{ $_->{verb} } } @tries ) {
    my $do = $host{ $t->{verb} };
    ( $t->{state}, $t->{detail} ) = $do ? $do->($t) : ( 'refused', "unknown verb $t->{verb}" );
}
$pause->( $option{wait} );
for (@network) { $_->{collect} && $_->{collect}->() }
cleanup();
say_line( 'result', $_->{id}, $_->{state} || 'refused', $_->{detail} || '' ) for @tries;
say_line( 'result', 'batch', 'sent', scalar(@tries) . ' tries' );
__END__
