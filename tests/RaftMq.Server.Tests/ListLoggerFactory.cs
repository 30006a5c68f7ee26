using Microsoft.Extensions.Logging;

namespace RaftMq.Server.Tests;

/// <summary>Keeps what is logged, whatever the category.</summary>
internal sealed class ListLoggerFactory : ILoggerFactory
{
    public ListLogger Logger { get; } = new();

    public ILogger CreateLogger(string categoryName) => Logger;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // There is nothing to let go.
    }
}
