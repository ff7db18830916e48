//! Replies of the Prometheus HTTP API, read strictly.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::body::{Node, quoted, read};
use super::error::{MetricsError, MetricsErrorKind};
use super::native::NativeHistogram;
use super::number;
use crate::window::GapReason;

/// The most series that a reply may have.
pub const SERIES_MAX: usize = 20_000;

/// A label's name to its value. The name of the metric, if it was kept, is `__name__`.
pub type Labels = BTreeMap<String, String>;

/// The `resultType` of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultKind {
    /// Series of one sample each, at the time asked for.
    Vector,
    /// Series of samples over a range. An instant query for a range (`up[1m]`) gives this with the
    /// true times of the scrapes.
    Matrix,
    /// A number, held as one series without labels.
    Scalar,
    /// A text, in [`Reply::text`].
    Text,
}

/// A successful reply.
///
/// An empty [`series`](Self::series) is a valid answer and means that there is no data: never a
/// zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// What the query returned.
    pub kind: ResultKind,
    /// The series, in the order of the reply.
    pub series: Vec<Series>,
    /// The text of a [`ResultKind::Text`].
    pub text: Option<String>,
    /// What the server warns of. A warning may mean that a part of the data is missing.
    pub warnings: Vec<String>,
    /// What the server remarks on the query.
    pub infos: Vec<String>,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// Its samples, in ascending time; at least one.
    pub points: Vec<Point>,
}

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// What was measured.
    pub value: SampleValue,
}

/// What a sample holds.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleValue {
    /// A number; may be NaN or infinite.
    Number(f64),
    /// A native histogram.
    Histogram(NativeHistogram),
}

impl Reply {
    /// Reads what was answered with the HTTP `status`.
    ///
    /// ```
    /// use nonevent_analysis::GapReason;
    /// use nonevent_analysis::metrics::{Reply, ResultKind};
    /// let body = br#"{"status":"success","data":{"resultType":"vector","result":[
    ///     {"metric":{"version":"1.4.2"},"value":[1700000000,"NaN"]}]}}"#;
    /// let reply = Reply::read(200, body)?;
    /// assert_eq!((reply.kind, reply.series.len()), (ResultKind::Vector, 1));
    ///
    /// let error = Reply::read(502, b"<html>Bad gateway</html>").expect_err("no success");
    /// assert_eq!(error.gap(), GapReason::Unreachable);
    /// # Ok::<(), nonevent_analysis::metrics::MetricsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the server refused, or the body is not such a reply; the text says where and what.
    pub fn read(status: u16, body: &[u8]) -> Result<Self, MetricsError> {
        let success = (200..300).contains(&status);
        let value = match read(body) {
            Ok(value) => value,
            Err(_) if !success => return Err(http_status(status)),
            Err(error) => return Err(error),
        };
        let root = Node::root(&value);
        match root
            .optional("status")
            .map(|node| node.and_then(|n| n.value.as_str()))
        {
            Ok(Some("error")) => Err(refused(&root)),
            _ if !success => Err(http_status(status)),
            Ok(Some("success")) => success_of(&root),
            _ => Err(root.unlike("an object whose `status` is \"success\" or \"error\"")),
        }
    }

    /// The place of a sample in the body.
    pub(crate) fn place(&self, series: usize, point: usize) -> String {
        match self.kind {
            ResultKind::Vector => format!("data.result[{series}].value"),
            ResultKind::Matrix => format!("data.result[{series}].values[{point}]"),
            ResultKind::Scalar | ResultKind::Text => "data.result".to_string(),
        }
    }
}

/// An HTTP status that is no success, with no reply of the API.
pub(crate) fn http_status(status: u16) -> MetricsError {
    let what = match status {
        401 | 403 => "check the credentials of the request",
        404 => "check the base path",
        429 => "ask less often",
        _ => "look at the server and at what stands before it",
    };
    let kind = MetricsErrorKind::HttpStatus;
    let text = format!("the answer has HTTP status {status}; {what}");
    MetricsError::new(kind, GapReason::Unreachable, String::new(), text)
}

/// `errorType` and `error`, as the API documents them.
fn refused(root: &Node<'_, '_>) -> MetricsError {
    let text = |name| {
        let node = root.optional(name).ok().flatten();
        node.and_then(|node| node.value.as_str()).unwrap_or("")
    };
    let (kind, message) = (text("errorType"), text("error"));
    let (gap, what) = match kind {
        "bad_data" => (GapReason::Unreadable, "correct the query"),
        "execution" => (
            GapReason::Unreadable,
            "correct the query, or the data that it cannot be evaluated over",
        ),
        "timeout" | "canceled" => (
            GapReason::Unreachable,
            "ask for less, or record a rule and ask for that",
        ),
        _ => (GapReason::Unreachable, "look at the server's log"),
    };
    MetricsError::new(
        MetricsErrorKind::Refused,
        gap,
        "error".to_string(),
        format!(
            "Prometheus says {}: {}; {what}",
            quoted(kind),
            quoted(message)
        ),
    )
}

fn success_of(root: &Node<'_, '_>) -> Result<Reply, MetricsError> {
    let data = root.field("data")?;
    let (kind_node, result) = (data.field("resultType")?, data.field("result")?);
    let mut reply = Reply {
        kind: ResultKind::Vector,
        series: Vec::new(),
        text: None,
        warnings: texts(root, "warnings")?,
        infos: texts(root, "infos")?,
    };
    match kind_node.text()? {
        "vector" => reply.series = series_of(&result, ResultKind::Vector)?,
        "matrix" => {
            reply.kind = ResultKind::Matrix;
            reply.series = series_of(&result, ResultKind::Matrix)?;
        }
        "scalar" => {
            reply.kind = ResultKind::Scalar;
            let point = number_point(&result)?;
            reply.series = alloc::vec![Series {
                labels: Labels::new(),
                points: alloc::vec![point],
            }];
        }
        "string" => {
            reply.kind = ResultKind::Text;
            let [at, text] = result.tuple("a pair of time and text")?;
            time(&at)?;
            reply.text = Some(text.text()?.to_string());
        }
        _ => return Err(kind_node.unlike("vector, matrix, scalar or string")),
    }
    Ok(reply)
}

fn texts(root: &Node<'_, '_>, name: &str) -> Result<Vec<String>, MetricsError> {
    root.optional(name)?
        .map_or(Ok(Vec::new()), |node| node.texts())
}

fn series_of(result: &Node<'_, '_>, kind: ResultKind) -> Result<Vec<Series>, MetricsError> {
    let count = result.array()?.len();
    if count > SERIES_MAX {
        return Err(MetricsError::new(
            MetricsErrorKind::TooLarge,
            GapReason::Unreadable,
            result.place(),
            format!("{count} series, over the limit of {SERIES_MAX}; sum in the query"),
        ));
    }
    let series = result.items()?.map(|node| {
        let mut labels = Labels::new();
        let metric = node.field("metric")?;
        for name in metric.object()?.keys() {
            labels.insert(name.clone(), metric.field(name)?.text()?.to_string());
        }
        let points = if kind == ResultKind::Vector {
            one_point(&node)?
        } else {
            many_points(&node)?
        };
        Ok(Series { labels, points })
    });
    series.collect()
}

fn one_point(node: &Node<'_, '_>) -> Result<Vec<Point>, MetricsError> {
    let point = match node.optional("histogram")? {
        Some(histogram) => histogram_point(&histogram)?,
        None => number_point(&node.field("value")?)?,
    };
    Ok(alloc::vec![point])
}

/// A series may hold numbers and histograms, when its target changed from one to the other.
fn many_points(node: &Node<'_, '_>) -> Result<Vec<Point>, MetricsError> {
    let mut points = Vec::new();
    if let Some(values) = node.optional("values")? {
        for value in values.items()? {
            points.push(number_point(&value)?);
        }
    }
    if let Some(histograms) = node.optional("histograms")? {
        for value in histograms.items()? {
            points.push(histogram_point(&value)?);
        }
    }
    if points.is_empty() {
        return Err(node.unlike("a series with `values` or `histograms`"));
    }
    points.sort_by_key(|point: &Point| point.at_ms);
    if points.windows(2).any(|pair| pair[0].at_ms == pair[1].at_ms) {
        return Err(MetricsError::shape(
            node.place(),
            "two samples of the same time in one series; is this a merged reply?",
        ));
    }
    Ok(points)
}

fn number_point(node: &Node<'_, '_>) -> Result<Point, MetricsError> {
    let [at, value] = node.tuple("a pair of time and value")?;
    Ok(Point {
        at_ms: time(&at)?,
        value: SampleValue::Number(number::in_string(&value)?),
    })
}

fn histogram_point(node: &Node<'_, '_>) -> Result<Point, MetricsError> {
    let [at, value] = node.tuple("a pair of time and histogram")?;
    Ok(Point {
        at_ms: time(&at)?,
        value: SampleValue::Histogram(NativeHistogram::read(&value)?),
    })
}

/// A time in seconds, as a JSON number.
fn time(node: &Node<'_, '_>) -> Result<u64, MetricsError> {
    let seconds = node.value.as_f64().and_then(number::ms_of_seconds);
    seconds.ok_or_else(|| node.unlike("a time in seconds since 1970"))
}
