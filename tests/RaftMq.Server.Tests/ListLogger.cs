using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace RaftMq.Server.Tests;

/// <summary>Keeps what is logged.</summary>
internal sealed class ListLogger : ILogger
{
    public ConcurrentQueue<(int Event, LogLevel Level, string Text)> Lines { get; } = new();

    public string[] Of(int logged) => [.. Lines.Where(line => line.Event == logged).Select(line => line.Text)];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((eventId.Id, logLevel, formatter(state, exception)));
}
