using System.Collections;
using RaftMq.Broker.Environment;

namespace RaftMq.Server.Hosting;

/// <summary>A node's event as loggers want it: a line for people, and its facts by name for programs.</summary>
internal sealed class NodeEventState(NodeEvent nodeEvent) : IReadOnlyList<KeyValuePair<string, object?>>
{
    private const string EventName = "event";

    public int Count => nodeEvent.Facts.Length + 1;

    public KeyValuePair<string, object?> this[int index] => index == 0
        ? new(EventName, nodeEvent.Name)
        : new(nodeEvent.Facts[index - 1].Name, nodeEvent.Facts[index - 1].Value);

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"{nodeEvent.Name}: {nodeEvent.Text}";
}
