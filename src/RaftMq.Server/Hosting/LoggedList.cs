using System.Collections;

namespace RaftMq.Server.Hosting;

/// <summary>Several things as one value of a log line: with commas for people, one by one for programs. Parameters of it are <c>object</c>.</summary>
internal sealed class LoggedList(IEnumerable<object> items) : IEnumerable<object>
{
    private readonly object[] _items = [.. items];

    public IEnumerator<object> GetEnumerator() => _items.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Join(", ", _items);
}
