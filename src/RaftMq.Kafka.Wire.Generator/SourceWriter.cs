using System.Text;

namespace RaftMq.Kafka.Wire.Generator;

/// <summary>Lines of C# with the right indentation.</summary>
internal sealed class SourceWriter
{
    private readonly StringBuilder text = new();
    private int depth;

    public void Line(string line = "")
    {
        if (line.Length > 0)
        {
            text.Append(' ', depth * 4).Append(line);
        }

        text.Append('\n');
    }

    public void Open(string? line = null)
    {
        if (line is not null)
        {
            Line(line);
        }

        Line("{");
        depth++;
    }

    public void Close(string tail = "")
    {
        depth--;
        Line("}" + tail);
    }

    public void Summary(string? words)
    {
        if (!string.IsNullOrEmpty(words))
        {
            string escaped = words!.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
            Line($"/// <summary>{escaped}</summary>");
        }
    }

    public override string ToString() => text.ToString();
}
