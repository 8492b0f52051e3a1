module github.com/sallyport/sallyport

go 1.25.0
