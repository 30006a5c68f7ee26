using Microsoft.Extensions.Logging;

namespace RaftMq.Server.Sockets;

/// <summary>Tells the operator that somebody speaks the wrong protocol to a port. Such a client comes again and again: one line in a while is enough.</summary>
/// <param name="logger">Where it is told.</param>
/// <param name="time">Decides what a while is.</param>
/// <param name="place">The port, and what it is for: the beginning of a sentence.</param>
internal sealed partial class WrongProtocolLog(ILogger logger, TimeProvider time, string place)
{
    public static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private long? _lastLine;
    private int _leftOut;

    /// <summary>A connection was closed for it.</summary>
    public void Closed(string remote, SpokenProtocol spoken)
    {
        int leftOut;
        lock (_gate)
        {
            if (_lastLine is { } last && time.GetElapsedTime(last) < LineEvery)
            {
                _leftOut++;
                return;
            }

            _lastLine = time.GetTimestamp();
            leftOut = _leftOut;
            _leftOut = 0;
        }

        string words = spoken switch
        {
            SpokenProtocol.Kafka => "a Kafka request without TLS",
            SpokenProtocol.Http => "an HTTP request",
            SpokenProtocol.Tls => "a TLS handshake",
            _ => "neither of the protocols that are spoken here",
        };
        LogClosed(place, remote, words, leftOut == 0 ? "" : $" ({leftOut} more were since the last such line)");
    }

    [LoggerMessage(1103, LogLevel.Warning, "{Place}; a connection from {Remote} began like {Spoken} and was closed{More}")]
    private partial void LogClosed(string place, string remote, string spoken, string more);
}
