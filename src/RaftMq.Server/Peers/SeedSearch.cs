using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using RaftMq.Raft;

namespace RaftMq.Server.Peers;

/// <summary>
/// Finds out which node is at an address that the operator gave without a number: dials it, asks who it is, hangs up; again after a while
/// until somebody answers. From then on the node is dialled as any other one.
/// </summary>
internal sealed partial class SeedSearch : IAsyncDisposable
{
    private static readonly TimeSpan DelayMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(2);

    private readonly DnsEndPoint _address;
    private readonly PeerOptions _options;
    private readonly PeerPreamble _own;
    private readonly Action<NodeId> _found;
    private readonly ILogger _logger;
    private readonly Action<string, Exception> _fatal;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private string? _lastFault;

    public SeedSearch(
        DnsEndPoint address, PeerOptions options, PeerPreamble own, Action<NodeId> found, ILogger logger, Action<string, Exception> fatal)
    {
        _address = address;
        _options = options;
        _own = own;
        _found = found;
        _logger = logger;
        _fatal = fatal;
        _loop = Task.Run(() => RunAsync(_stop.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        TimeSpan delay = DelayMin;
        try
        {
            while (true)
            {
                (PeerPreamble? answer, string? fault) = await AskAsync(stop);
                if (answer is not null)
                {
                    if (answer.From != _options.Self)
                    {
                        LogFound(_address.Host, _address.Port, answer.From.Value);
                        _found(answer.From);
                        return;
                    }

                    if (answer.Process == _own.Process)
                    {
                        // This node's own address stands in a list that is the same on all nodes.
                        return;
                    }

                    fault = $"another process runs there as node {_options.Self.Value}, which is this one's number";
                }

                if (fault != _lastFault)
                {
                    _lastFault = fault;
                    LogNotFound(_address.Host, _address.Port, fault!);
                }

                await Task.Delay(delay, stop);
                delay = delay * 2 < DelayMax ? delay * 2 : DelayMax;
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
#pragma warning disable CA1031 // The top of an owned loop.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _fatal($"the search for the node at {_address.Host}:{_address.Port}", exception);
        }
    }

    private async Task<(PeerPreamble? Answer, string? Fault)> AskAsync(CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(_options.HandshakeTimeout);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            PeerSockets.Configure(socket);
            await socket.ConnectAsync(_address, limit.Token);
            await using var plain = new NetworkStream(socket, ownsSocket: false);
            if (_options.Tls is null)
            {
                return await ExchangeAsync(plain, limit.Token);
            }

            await using var encrypted = new SslStream(plain);
            await encrypted.AuthenticateAsClientAsync(_options.Tls.ForClient(_address.Host), limit.Token);
            return await ExchangeAsync(encrypted, limit.Token);
        }
        catch (Exception exception) when (exception is SocketException or IOException or AuthenticationException or ArgumentException)
        {
            return (null, exception.Message);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (null, "no answer in time");
        }
    }

    private async Task<(PeerPreamble? Answer, string? Fault)> ExchangeAsync(Stream stream, CancellationToken stop)
    {
        await stream.WriteAsync(_own.ToBytes(), stop);
        byte[] bytes = new byte[PeerPreamble.Bytes];
        await stream.ReadExactlyAsync(bytes, stop);
        return (PeerPreamble.Read(bytes, out string? fault), fault);
    }

    [LoggerMessage(1231, LogLevel.Information, "The seed {Host}:{Port} is node {Node}")]
    private partial void LogFound(string host, int port, int node);

    [LoggerMessage(1232, LogLevel.Warning, "No node answers at the seed {Host}:{Port}, trying on: {Fault}")]
    private partial void LogNotFound(string host, int port, string fault);
}
